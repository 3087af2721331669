// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ANCHOR, Base, FOREVER, REVOKE, Signing, vm, Wallet, WITHDRAW} from "./Base.sol";
import {Registry} from "../src/Registry.sol";

contract UpdateStatusTest is Base {
    function testFuzz_recordsRootEpochTimeAndBlock(
        uint8 purpose,
        bytes32 first,
        bytes32 second,
        bytes calldata delta,
        uint48 later
    ) public {
        vm.expectEmit(address(registry));
        emit Registry.StatusUpdated(issuer, purpose, 1, first, delta, 0);
        vm.prank(operator);
        registry.updateStatus(issuer, purpose, 1, first, delta);
        assertStatus(purpose, first, 1, 1_800_000_000, 1000);

        vm.warp(1_800_000_000 + uint256(later));
        vm.roll(1000 + uint256(later));
        vm.expectEmit(address(registry));
        emit Registry.StatusUpdated(issuer, purpose, 2, second, delta, 1000);
        vm.prank(issuer);
        registry.updateStatus(issuer, purpose, 2, second, delta);
        assertStatus(purpose, second, 2, 1_800_000_000 + uint64(later), 1000 + uint64(later));
    }

    function test_purposesAreApart() public {
        vm.prank(operator);
        registry.updateStatus(issuer, 0, 1, "revocation", "");
        vm.roll(1005);
        vm.expectEmit(address(registry));
        emit Registry.StatusUpdated(issuer, 1, 1, "suspension", hex"07", 0);
        vm.prank(operator);
        registry.updateStatus(issuer, 1, 1, "suspension", hex"07");
        assertStatus(0, "revocation", 1, 1_800_000_000, 1000);
        assertStatus(1, "suspension", 1, 1_800_000_000, 1005);
        assertStatus(2, 0, 0, 0, 0);
    }

    function test_issuersAreApart() public {
        vm.prank(other);
        registry.updateStatus(other, 0, 1, ROOT, "");
        assertStatus(0, 0, 0, 0, 0);
    }

    function testFuzz_refusesAnyOtherEpoch(uint64 epoch) public {
        vm.assume(epoch != 2);
        vm.prank(issuer);
        registry.updateStatus(issuer, 0, 1, "first", "");
        vm.expectRevert(abi.encodeWithSelector(Registry.WrongEpoch.selector, uint64(2), epoch));
        vm.prank(issuer);
        registry.updateStatus(issuer, 0, epoch, "second", "");
        assertStatus(0, "first", 1, 1_800_000_000, 1000);
    }

    function testFuzz_refusesWhoMayNot(address who) public {
        vm.assume(who != issuer && who != operator);
        vm.expectRevert(notAuthorized(who, REVOKE));
        vm.prank(who);
        registry.updateStatus(issuer, 0, 1, ROOT, "");
        assertStatus(0, 0, 0, 0, 0);
    }

    function test_refusesAnOperatorWithTheOtherRoles() public {
        appoint(stranger, ANCHOR | WITHDRAW, FOREVER);
        vm.expectRevert(notAuthorized(stranger, REVOKE));
        vm.prank(stranger);
        registry.updateStatus(issuer, 0, 1, ROOT, "");
    }
}

contract UpdateStatusWithSignatureTest is Base {
    uint64 private constant DEADLINE = 1_800_000_100;
    bytes private constant DELTA = hex"05808001";

    function signed(uint256 key) private view returns (bytes memory) {
        return Signing.sign(key, Signing.updateHash(registry, issuer, 1, 1, ROOT, DELTA, DEADLINE));
    }

    function send(bytes memory signature) private {
        registry.updateStatusWithSignature(issuer, 1, 1, ROOT, DELTA, DEADLINE, signature);
    }

    function refused(bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(Registry.BadSignature.selector, issuer, registry.controllerOf(issuer)));
        send(signature);
        assertStatus(1, 0, 0, 0, 0);
    }

    function testFuzz_anyoneMaySendIt(
        address sender,
        uint8 purpose,
        bytes32 root,
        bytes calldata delta,
        uint64 deadline
    ) public {
        vm.assume(deadline >= block.timestamp);
        bytes memory signature =
            Signing.sign(KEY, Signing.updateHash(registry, issuer, purpose, 1, root, delta, deadline));
        vm.expectEmit(address(registry));
        emit Registry.StatusUpdated(issuer, purpose, 1, root, delta, 0);
        vm.prank(sender);
        registry.updateStatusWithSignature(issuer, purpose, 1, root, delta, deadline, signature);
        assertStatus(purpose, root, 1, 1_800_000_000, 1000);
    }

    function test_untilTheDeadlineInclusive() public {
        bytes memory signature = signed(KEY);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(Registry.Expired.selector, DEADLINE));
        send(signature);
        vm.warp(DEADLINE);
        send(signature);
    }

    function testFuzz_refusesOtherArguments(
        uint8 purpose,
        uint64 epoch,
        bytes32 root,
        bytes calldata delta,
        uint64 deadline,
        uint256 which
    ) public {
        // One argument differs from what is sent; the others are the same.
        which %= 5;
        bytes memory signature = Signing.sign(
            KEY,
            Signing.updateHash(
                registry,
                issuer,
                which == 0 ? purpose : 1,
                which == 1 ? epoch : 1,
                which == 2 ? root : ROOT,
                which == 3 ? delta : DELTA,
                which == 4 ? deadline : DEADLINE
            )
        );
        vm.assume(keccak256(signature) != keccak256(signed(KEY)));
        refused(signature);
    }

    function test_refusesOtherSigners() public {
        appoint(other, ANCHOR | REVOKE | WITHDRAW, FOREVER);
        refused(signed(OTHER_KEY));
        handOver(other);
        refused(signed(KEY));
        send(signed(OTHER_KEY));
    }

    function test_refusesASignatureForAnotherChain() public {
        bytes memory signature = signed(KEY);
        vm.chainId(block.chainid + 1);
        refused(signature);
    }

    function test_refusesAnAnchorsSignature() public {
        refused(Signing.sign(KEY, Signing.anchorHash(registry, issuer, ROOT, 1, DEADLINE)));
    }

    function test_refusesAReplay() public {
        send(signed(KEY));
        bytes memory signature = signed(KEY);
        vm.expectRevert(abi.encodeWithSelector(Registry.WrongEpoch.selector, uint64(2), uint64(1)));
        send(signature);
    }

    function test_acceptsAWallet() public {
        handOver(address(new Wallet(other)));
        refused(signed(KEY));
        send(signed(OTHER_KEY));
        assertStatus(1, ROOT, 1, 1_800_000_000, 1000);
    }

    function test_hashesAsWalletsDo() public view {
        string memory json = string.concat(
            '{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},',
            '{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],',
            '"UpdateStatus":[{"name":"issuer","type":"address"},{"name":"purpose","type":"uint8"},',
            '{"name":"epoch","type":"uint64"},{"name":"root","type":"bytes32"},{"name":"delta","type":"bytes"},',
            '{"name":"deadline","type":"uint64"}]},"primaryType":"UpdateStatus",',
            '"domain":{"name":"Testamur Registry","version":"1","chainId":',
            vm.toString(block.chainid),
            ',"verifyingContract":"',
            vm.toString(address(registry)),
            '"},"message":{"issuer":"',
            vm.toString(issuer),
            '","purpose":1,"epoch":1,"root":"',
            vm.toString(ROOT),
            '","delta":"',
            vm.toString(DELTA),
            '","deadline":1800000100}}'
        );
        vm.assertEq(
            vm.eip712HashTypedData(json),
            Signing.updateHash(registry, issuer, 1, 1, ROOT, DELTA, DEADLINE),
            "typed data hash"
        );
    }
}
