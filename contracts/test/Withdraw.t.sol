// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ANCHOR, Base, FOREVER, REVOKE, vm, WITHDRAW} from "./Base.sol";
import {Registry} from "../src/Registry.sol";

contract WithdrawTest is Base {
    function setUp() public override {
        super.setUp();
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 3);
    }

    function testFuzz_marksAndKeepsTheRest(uint8 reason) public {
        vm.warp(block.timestamp + 9);
        vm.roll(1009);
        vm.expectEmit(address(registry));
        emit Registry.Withdrawn(issuer, ROOT, reason, 1000);
        vm.prank(operator);
        registry.withdraw(issuer, ROOT, reason);
        assertAnchor(ROOT, 1_800_000_000, 1000, 3, true);
        (uint64 anchorBlock, uint64 actBlock) = registry.lastBlocksOf(issuer);
        vm.assertEq(anchorBlock, 1000, "head of the anchors");
        vm.assertEq(actBlock, 1009, "head of the acts");
    }

    function testFuzz_refusesWhoMayNot(address who) public {
        vm.assume(who != issuer && who != operator);
        vm.expectRevert(notAuthorized(who, WITHDRAW));
        vm.prank(who);
        registry.withdraw(issuer, ROOT, 0);
        assertAnchor(ROOT, 1_800_000_000, 1000, 3, false);
    }

    function test_refusesAnOperatorWithTheOtherRoles() public {
        appoint(stranger, ANCHOR | REVOKE, FOREVER);
        vm.expectRevert(notAuthorized(stranger, WITHDRAW));
        vm.prank(stranger);
        registry.withdraw(issuer, ROOT, 0);
    }

    function test_refusesWhatIsNotAnchored() public {
        vm.expectRevert(abi.encodeWithSelector(Registry.NotAnchored.selector, issuer, bytes32("unknown")));
        vm.prank(issuer);
        registry.withdraw(issuer, "unknown", 0);
    }

    function test_refusesAnothersRoot() public {
        vm.expectRevert(abi.encodeWithSelector(Registry.NotAnchored.selector, other, ROOT));
        vm.prank(other);
        registry.withdraw(other, ROOT, 0);
    }

    function test_refusesASecondTime() public {
        vm.prank(issuer);
        registry.withdraw(issuer, ROOT, 1);
        vm.expectRevert(abi.encodeWithSelector(Registry.AlreadyWithdrawn.selector, issuer, ROOT));
        vm.prank(issuer);
        registry.withdraw(issuer, ROOT, 2);
    }
}
