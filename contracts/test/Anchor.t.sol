// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ANCHOR, Base, FOREVER, REVOKE, Signing, vm, Wallet, WITHDRAW} from "./Base.sol";
import {Registry} from "../src/Registry.sol";

contract AnchorTest is Base {
    function testFuzz_recordsTimeBlockAndSize(bytes32 root, uint64 size, uint64 time, uint48 blockNumber) public {
        vm.assume(size != 0 && time != 0);
        vm.warp(time);
        vm.roll(blockNumber);
        vm.prank(issuer);
        registry.anchor(issuer, root, size);
        assertAnchor(root, time, blockNumber, size, false);
    }

    function test_emitsTheBlockOfTheAnchorBefore() public {
        vm.expectEmit(address(registry));
        emit Registry.Anchored(issuer, ROOT, 5, 0);
        vm.prank(operator);
        registry.anchor(issuer, ROOT, 5);

        vm.roll(1007);
        vm.expectEmit(address(registry));
        emit Registry.Anchored(issuer, "second", 6, 1000);
        vm.prank(operator);
        registry.anchor(issuer, "second", 6);

        vm.expectEmit(address(registry));
        emit Registry.Anchored(issuer, "same block", 7, 1007);
        vm.prank(operator);
        registry.anchor(issuer, "same block", 7);

        (uint64 anchorBlock, uint64 actBlock) = registry.lastBlocksOf(issuer);
        vm.assertEq(anchorBlock, 1007, "head of the anchors");
        vm.assertEq(actBlock, 1000, "head of the acts");
    }

    function testFuzz_refusesWhoMayNot(address who) public {
        vm.assume(who != issuer && who != operator);
        vm.expectRevert(notAuthorized(who, ANCHOR));
        vm.prank(who);
        registry.anchor(issuer, ROOT, 1);
        assertAnchor(ROOT, 0, 0, 0, false);
    }

    function test_refusesAnOperatorWithTheOtherRoles() public {
        appoint(stranger, REVOKE | WITHDRAW, FOREVER);
        vm.expectRevert(notAuthorized(stranger, ANCHOR));
        vm.prank(stranger);
        registry.anchor(issuer, ROOT, 1);
    }

    function test_refusesASecondTime() public {
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 1);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(Registry.AlreadyAnchored.selector, issuer, ROOT));
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 2);
        assertAnchor(ROOT, 1_800_000_000, 1000, 1, false);
    }

    function test_refusesAWithdrawnRoot() public {
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 1);
        vm.prank(issuer);
        registry.withdraw(issuer, ROOT, 0);
        vm.expectRevert(abi.encodeWithSelector(Registry.AlreadyAnchored.selector, issuer, ROOT));
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 1);
    }

    function test_refusesAnEmptyBatch() public {
        vm.expectRevert(abi.encodeWithSelector(Registry.EmptyBatch.selector, issuer, ROOT));
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 0);
    }

    function test_twoIssuersMayAnchorTheSameRoot() public {
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 1);
        vm.prank(other);
        registry.anchor(other, ROOT, 2);
        (,, uint64 size,) = registry.anchorOf(other, ROOT);
        vm.assertEq(size, 2, "the other's anchor");
        assertAnchor(ROOT, 1_800_000_000, 1000, 1, false);
    }
}

contract AnchorManyTest is Base {
    function batches() private view returns (Registry.Batch[] memory list) {
        list = new Registry.Batch[](3);
        list[0] = Registry.Batch(issuer, ROOT, 1);
        list[1] = Registry.Batch(other, ROOT, 2);
        list[2] = Registry.Batch(issuer, "last", 3);
    }

    function setUp() public override {
        super.setUp();
        vm.prank(other);
        registry.setOperator(other, operator, ANCHOR, FOREVER);
    }

    function test_anchorsForSeveralIssuers() public {
        vm.expectEmit(address(registry));
        emit Registry.Anchored(issuer, ROOT, 1, 0);
        vm.expectEmit(address(registry));
        emit Registry.Anchored(other, ROOT, 2, 0);
        vm.expectEmit(address(registry));
        emit Registry.Anchored(issuer, "last", 3, 1000);
        vm.prank(operator);
        registry.anchorMany(batches());

        assertAnchor(ROOT, 1_800_000_000, 1000, 1, false);
        assertAnchor("last", 1_800_000_000, 1000, 3, false);
        (,, uint64 size,) = registry.anchorOf(other, ROOT);
        vm.assertEq(size, 2, "the other's anchor");
    }

    function test_oneUnauthorizedBatchRefusesAll() public {
        vm.prank(other);
        registry.setOperator(other, operator, REVOKE, FOREVER);
        vm.expectRevert(abi.encodeWithSelector(Registry.NotAuthorized.selector, other, operator, ANCHOR));
        vm.prank(operator);
        registry.anchorMany(batches());
        assertAnchor(ROOT, 0, 0, 0, false);
    }

    function test_oneEmptyBatchRefusesAll() public {
        Registry.Batch[] memory list = batches();
        list[2].size = 0;
        vm.expectRevert(abi.encodeWithSelector(Registry.EmptyBatch.selector, issuer, bytes32("last")));
        vm.prank(operator);
        registry.anchorMany(list);
        assertAnchor(ROOT, 0, 0, 0, false);
    }

    function test_theSameRootTwiceRefusesAll() public {
        Registry.Batch[] memory list = batches();
        list[2].root = ROOT;
        vm.expectRevert(abi.encodeWithSelector(Registry.AlreadyAnchored.selector, issuer, ROOT));
        vm.prank(operator);
        registry.anchorMany(list);
        assertAnchor(ROOT, 0, 0, 0, false);
    }

    function test_noBatchesAreNoWrite() public {
        vm.prank(stranger);
        registry.anchorMany(new Registry.Batch[](0));
    }
}

contract AnchorWithSignatureTest is Base {
    uint64 private constant DEADLINE = 1_800_000_100;

    function signed(uint256 key, bytes32 root, uint64 size, uint64 deadline) private view returns (bytes memory) {
        return Signing.sign(key, Signing.anchorHash(registry, issuer, root, size, deadline));
    }

    function refused(bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(Registry.BadSignature.selector, issuer, registry.controllerOf(issuer)));
        registry.anchorWithSignature(issuer, ROOT, 9, DEADLINE, signature);
        assertAnchor(ROOT, 0, 0, 0, false);
    }

    function testFuzz_anyoneMaySendIt(address sender, bytes32 root, uint64 size, uint64 deadline) public {
        vm.assume(size != 0 && deadline >= block.timestamp);
        bytes memory signature = signed(KEY, root, size, deadline);
        vm.expectEmit(address(registry));
        emit Registry.Anchored(issuer, root, size, 0);
        vm.prank(sender);
        registry.anchorWithSignature(issuer, root, size, deadline, signature);
        assertAnchor(root, 1_800_000_000, 1000, size, false);
    }

    function test_untilTheDeadlineInclusive() public {
        bytes memory signature = signed(KEY, ROOT, 9, DEADLINE);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(Registry.Expired.selector, DEADLINE));
        registry.anchorWithSignature(issuer, ROOT, 9, DEADLINE, signature);
        vm.warp(DEADLINE);
        registry.anchorWithSignature(issuer, ROOT, 9, DEADLINE, signature);
    }

    function testFuzz_refusesOtherArguments(bytes32 root, uint64 size, uint64 deadline) public {
        vm.assume(size != 0 && deadline >= block.timestamp);
        vm.assume(root != ROOT || size != 9 || deadline != DEADLINE);
        refused(signed(KEY, root, size, deadline));
    }

    function test_refusesAnotherIssuersName() public {
        // Validly signed by `other` for itself, sent in the name of `issuer`.
        refused(Signing.sign(OTHER_KEY, Signing.anchorHash(registry, other, ROOT, 9, DEADLINE)));
    }

    function testFuzz_refusesOtherKeys(uint256 key) public {
        key = 1 + key % (1 << 128);
        vm.assume(key != KEY);
        refused(signed(key, ROOT, 9, DEADLINE));
    }

    function testFuzz_refusesAnyFlippedBit(uint256 bit) public {
        bytes memory signature = signed(KEY, ROOT, 9, DEADLINE);
        bit %= signature.length * 8;
        signature[bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        refused(signature);
    }

    function testFuzz_refusesNoise(bytes calldata noise) public {
        refused(noise);
    }

    function test_refusesTheMalleatedTwin() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, Signing.anchorHash(registry, issuer, ROOT, 9, DEADLINE));
        uint256 n = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        refused(abi.encodePacked(r, n - uint256(s), v ^ 7));
    }

    function test_refusesAnOperatorsSignature() public {
        appoint(other, ANCHOR | REVOKE | WITHDRAW, FOREVER);
        refused(signed(OTHER_KEY, ROOT, 9, DEADLINE));
    }

    function test_refusesASignatureForAnotherChain() public {
        bytes memory signature = signed(KEY, ROOT, 9, DEADLINE);
        vm.chainId(block.chainid + 1);
        refused(signature);
    }

    function test_refusesASignatureForAnotherRegistry() public {
        bytes memory signature = Signing.sign(KEY, Signing.anchorHash(new Registry(), issuer, ROOT, 9, DEADLINE));
        refused(signature);
    }

    function test_refusesTheFormerController() public {
        bytes memory former = signed(KEY, ROOT, 9, DEADLINE);
        handOver(other);
        refused(former);
        registry.anchorWithSignature(issuer, ROOT, 9, DEADLINE, signed(OTHER_KEY, ROOT, 9, DEADLINE));
    }

    function test_refusesAReplay() public {
        bytes memory signature = signed(KEY, ROOT, 9, DEADLINE);
        registry.anchorWithSignature(issuer, ROOT, 9, DEADLINE, signature);
        vm.expectRevert(abi.encodeWithSelector(Registry.AlreadyAnchored.selector, issuer, ROOT));
        registry.anchorWithSignature(issuer, ROOT, 9, DEADLINE, signature);
    }

    function test_refusesAnEmptyBatch() public {
        bytes memory signature = signed(KEY, ROOT, 0, DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(Registry.EmptyBatch.selector, issuer, ROOT));
        registry.anchorWithSignature(issuer, ROOT, 0, DEADLINE, signature);
    }

    function test_refusesTheZeroAddress() public {
        // ecrecover answers a broken signature with the zero address: it must not speak for that "issuer".
        bytes memory broken = abi.encodePacked(bytes32(uint256(1)), bytes32(uint256(1)), uint8(29));
        vm.expectRevert(abi.encodeWithSelector(Registry.BadSignature.selector, address(0), address(0)));
        registry.anchorWithSignature(address(0), ROOT, 9, DEADLINE, broken);
    }

    function test_acceptsAWallet() public {
        Wallet wallet = new Wallet(other);
        handOver(address(wallet));
        refused(signed(KEY, ROOT, 9, DEADLINE));
        registry.anchorWithSignature(issuer, ROOT, 9, DEADLINE, signed(OTHER_KEY, ROOT, 9, DEADLINE));
        assertAnchor(ROOT, 1_800_000_000, 1000, 9, false);
    }

    function test_refusesContractsThatDoNotAnswerAsWallets() public {
        bytes memory signature = signed(KEY, ROOT, 9, DEADLINE);
        vm.etch(issuer, hex"00"); // stops: success, but no answer
        refused(signature);
        vm.etch(issuer, hex"5f5ffd"); // reverts
        refused(signature);
        vm.etch(issuer, hex"60015f5260205ff3"); // answers 1, "true"
        refused(signature);
    }

    function test_hashesAsWalletsDo() public view {
        string memory json = string.concat(
            '{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},',
            '{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],',
            '"Anchor":[{"name":"issuer","type":"address"},{"name":"root","type":"bytes32"},',
            '{"name":"size","type":"uint64"},{"name":"deadline","type":"uint64"}]},"primaryType":"Anchor",',
            '"domain":{"name":"Testamur Registry","version":"1","chainId":',
            vm.toString(block.chainid),
            ',"verifyingContract":"',
            vm.toString(address(registry)),
            '"},"message":{"issuer":"',
            vm.toString(issuer),
            '","root":"',
            vm.toString(ROOT),
            '","size":9,"deadline":1800000100}}'
        );
        vm.assertEq(
            vm.eip712HashTypedData(json), Signing.anchorHash(registry, issuer, ROOT, 9, DEADLINE), "typed data hash"
        );
    }
}
