// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ANCHOR, Base, REVOKE, vm} from "./Base.sol";

/// Verifiers read these slots with eth_getProof: the formulas are theirs, not the compiler's.
contract StorageLayoutTest is Base {
    function word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function valueSlot(bytes32 key, bytes32 slot) private pure returns (bytes32) {
        return keccak256(bytes.concat(key, slot));
    }

    function read(bytes32 slot) private view returns (uint256) {
        return uint256(vm.load(address(registry), slot));
    }

    function testFuzz_anchor(bytes32 root, uint64 time, uint48 blockNumber, uint64 size) public {
        vm.assume(size != 0);
        vm.warp(time);
        vm.roll(blockNumber);
        vm.prank(issuer);
        registry.anchor(issuer, root, size);
        bytes32 slot = valueSlot(root, valueSlot(word(issuer), bytes32(uint256(0))));
        uint256 value = uint256(time) | uint256(blockNumber) << 64 | uint256(size) << 128;
        vm.assertEq(read(slot), value, "anchor");

        vm.prank(issuer);
        registry.withdraw(issuer, root, 9);
        vm.assertEq(read(slot), value | 1 << 192, "withdrawn anchor");
    }

    function testFuzz_status(uint8 purpose, bytes32 root, uint64 time, uint48 blockNumber) public {
        vm.warp(time);
        vm.roll(blockNumber);
        vm.prank(issuer);
        registry.updateStatus(issuer, purpose, 1, "first", "");
        vm.prank(issuer);
        registry.updateStatus(issuer, purpose, 2, root, "");
        bytes32 slot = valueSlot(bytes32(uint256(purpose)), valueSlot(word(issuer), bytes32(uint256(1))));
        vm.assertEq(vm.load(address(registry), slot), root, "root");
        bytes32 next = bytes32(uint256(slot) + 1);
        vm.assertEq(read(next), 2 | uint256(time) << 64 | uint256(blockNumber) << 128, "epoch, time, block");
    }

    function testFuzz_issuer(address next, uint48 anchorBlock, uint48 actBlock) public {
        vm.assume(next != address(0));
        bytes32 slot = valueSlot(word(issuer), bytes32(uint256(2)));
        vm.assertEq(read(slot), 1000 << 208, "the issuer controls itself");
        vm.roll(anchorBlock);
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 1);
        vm.roll(actBlock);
        handOver(next);
        vm.assertEq(
            read(slot), uint256(uint160(next)) | uint256(anchorBlock) << 160 | uint256(actBlock) << 208, "issuer"
        );
    }

    function testFuzz_operator(address who, uint64 expires) public {
        appoint(who, ANCHOR | REVOKE, expires);
        bytes32 slot = valueSlot(word(who), valueSlot(word(issuer), bytes32(uint256(3))));
        vm.assertEq(read(slot), uint256(ANCHOR | REVOKE) | uint256(expires) << 8, "operator");
        appoint(who, 0, expires);
        vm.assertEq(read(slot), 0, "dismissed");
    }

    function testFuzz_proposed(address next) public {
        vm.prank(issuer);
        registry.setController(issuer, next);
        vm.assertEq(read(valueSlot(word(issuer), bytes32(uint256(4)))), uint160(next), "proposed");
    }
}
