// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ANCHOR, Base, FOREVER, vm} from "./Base.sol";
import {Registry} from "../src/Registry.sol";

contract SetControllerTest is Base {
    function testFuzz_proposesAndChangesNothingElse(address next) public {
        vm.recordLogs();
        vm.prank(issuer);
        registry.setController(issuer, next);
        vm.assertEq(registry.pendingControllerOf(issuer), next, "proposed");
        vm.assertEq(registry.controllerOf(issuer), issuer, "controller");
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
        vm.assume(next != issuer && next != operator);
        vm.assertEq(registry.isAuthorized(issuer, next, ANCHOR), false, "may write already");
    }

    function testFuzz_onlyTheControllerProposes(address who) public {
        vm.assume(who != issuer);
        vm.expectRevert(notAuthorized(who, 0));
        vm.prank(who);
        registry.setController(issuer, who);
        vm.assertEq(registry.pendingControllerOf(issuer), address(0), "proposed");
    }

    function test_operatorsDoNotPropose() public {
        vm.expectRevert(notAuthorized(operator, 0));
        vm.prank(operator);
        registry.setController(issuer, operator);
    }

    function test_aLaterProposalReplaces() public {
        vm.prank(issuer);
        registry.setController(issuer, stranger);
        vm.prank(issuer);
        registry.setController(issuer, other);
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, issuer, stranger));
        vm.prank(stranger);
        registry.acceptController(issuer);
    }

    function test_zeroCancels() public {
        vm.prank(issuer);
        registry.setController(issuer, other);
        vm.prank(issuer);
        registry.setController(issuer, address(0));
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, issuer, other));
        vm.prank(other);
        registry.acceptController(issuer);
    }
}

contract AcceptControllerTest is Base {
    function setUp() public override {
        super.setUp();
        vm.prank(issuer);
        registry.setController(issuer, other);
    }

    function test_handsOver() public {
        vm.roll(1009);
        vm.expectEmit(address(registry));
        emit Registry.ControllerChanged(issuer, other, 1000);
        vm.prank(other);
        registry.acceptController(issuer);

        vm.assertEq(registry.controllerOf(issuer), other, "controller");
        vm.assertEq(registry.pendingControllerOf(issuer), address(0), "proposed");
        (, uint64 actBlock) = registry.lastBlocksOf(issuer);
        vm.assertEq(actBlock, 1009, "head of the acts");

        vm.prank(other);
        registry.anchor(issuer, ROOT, 1);
        vm.expectRevert(notAuthorized(issuer, ANCHOR));
        vm.prank(issuer);
        registry.anchor(issuer, "by the former", 1);
        vm.expectRevert(notAuthorized(issuer, 0));
        vm.prank(issuer);
        registry.setController(issuer, issuer);
    }

    function test_keepsTheHeadOfTheAnchors() public {
        vm.prank(issuer);
        registry.anchor(issuer, ROOT, 1);
        vm.roll(1009);
        vm.prank(other);
        registry.acceptController(issuer);
        (uint64 anchorBlock,) = registry.lastBlocksOf(issuer);
        vm.assertEq(anchorBlock, 1000, "head of the anchors");
    }

    function test_keepsOperators() public {
        vm.prank(other);
        registry.acceptController(issuer);
        vm.assertTrue(registry.isAuthorized(issuer, operator, ANCHOR), "operator");
        vm.prank(other);
        registry.setOperator(issuer, operator, 0, 0);
        vm.assertEq(registry.isAuthorized(issuer, operator, ANCHOR), false, "dismissed");
    }

    function testFuzz_onlyTheProposedAccepts(address who) public {
        vm.assume(who != other);
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, issuer, who));
        vm.prank(who);
        registry.acceptController(issuer);
        vm.assertEq(registry.controllerOf(issuer), issuer, "controller");
    }

    function test_acceptsOnce() public {
        vm.prank(other);
        registry.acceptController(issuer);
        handOver(stranger);
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, issuer, other));
        vm.prank(other);
        registry.acceptController(issuer);
    }

    function test_theIssuerMayTakeBack() public {
        vm.prank(other);
        registry.acceptController(issuer);
        handOver(issuer);
        vm.assertEq(registry.controllerOf(issuer), issuer, "controller");
    }

    function test_nobodyAcceptsForAnUntouchedIssuer() public {
        // Nothing proposed reads as the zero address: it must not match an account.
        vm.expectRevert(abi.encodeWithSelector(Registry.NotProposed.selector, stranger, other));
        vm.prank(other);
        registry.acceptController(stranger);
    }
}
