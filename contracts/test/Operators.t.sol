// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ANCHOR, Base, FOREVER, REVOKE, vm, WITHDRAW} from "./Base.sol";
import {Registry} from "../src/Registry.sol";

contract SetOperatorTest is Base {
    function testFuzz_recordsRolesAndExpiry(address who, uint8 roles, uint64 expires) public {
        roles = roles % 7 + 1;
        vm.roll(1009);
        vm.expectEmit(address(registry));
        emit Registry.OperatorSet(issuer, who, roles, expires, 1000);
        appoint(who, roles, expires);
        (uint8 r, uint64 e) = registry.operatorOf(issuer, who);
        vm.assertEq(r, roles, "roles");
        vm.assertEq(e, expires, "expires");
        (, uint64 actBlock) = registry.lastBlocksOf(issuer);
        vm.assertEq(actBlock, 1009, "head of the acts");
    }

    function testFuzz_replacesWhatWasThereBefore(uint8 before, uint8 roles) public {
        appoint(stranger, before % 8, FOREVER);
        appoint(stranger, roles % 8, 1_800_000_001);
        for (uint8 role = 1; role < 8; role++) {
            bool has = role & roles % 8 == role;
            vm.assertEq(registry.isAuthorized(issuer, stranger, role), has, "role");
        }
    }

    function test_noRolesDismiss() public {
        vm.expectEmit(address(registry));
        emit Registry.OperatorSet(issuer, operator, 0, 0, 1000);
        appoint(operator, 0, FOREVER);
        (uint8 roles, uint64 expires) = registry.operatorOf(issuer, operator);
        vm.assertEq(roles, 0, "roles");
        vm.assertEq(expires, 0, "expires");
        vm.assertEq(registry.isAuthorized(issuer, operator, ANCHOR), false, "still anchors");
    }

    function testFuzz_refusesUnknownRoles(uint8 roles) public {
        vm.assume(roles > 7);
        vm.expectRevert(abi.encodeWithSelector(Registry.UnknownRoles.selector, roles));
        appoint(stranger, roles, FOREVER);
    }

    function testFuzz_onlyTheControllerAppoints(address who) public {
        vm.assume(who != issuer);
        vm.expectRevert(notAuthorized(who, 0));
        vm.prank(who);
        registry.setOperator(issuer, who, ANCHOR, FOREVER);
    }

    function test_operatorsDoNotAppoint() public {
        vm.expectRevert(notAuthorized(operator, 0));
        vm.prank(operator);
        registry.setOperator(issuer, stranger, ANCHOR, FOREVER);
    }

    function test_anotherIssuersOperatorIsAStranger() public {
        vm.prank(other);
        registry.setOperator(other, stranger, ANCHOR | REVOKE | WITHDRAW, FOREVER);
        vm.assertTrue(registry.isAuthorized(other, stranger, ANCHOR), "its own issuer");
        vm.assertEq(registry.isAuthorized(issuer, stranger, ANCHOR), false, "another issuer");
    }
}

contract IsAuthorizedTest is Base {
    function testFuzz_theControllerMayAlways(uint8 role, uint64 time) public {
        vm.warp(time);
        vm.assertTrue(registry.isAuthorized(issuer, issuer, role), "controller");
    }

    function testFuzz_anOperatorNeedsEveryBit(uint8 roles, uint8 role) public {
        roles %= 8;
        appoint(stranger, roles, FOREVER);
        bool has = role != 0 && role & ~roles == 0;
        vm.assertEq(registry.isAuthorized(issuer, stranger, role), has, "every bit");
    }

    function testFuzz_untilItExpiresExclusive(uint64 expires) public {
        vm.assume(expires > 0);
        appoint(stranger, ANCHOR, expires);
        vm.warp(expires - 1);
        vm.assertTrue(registry.isAuthorized(issuer, stranger, ANCHOR), "one second before");
        vm.warp(expires);
        vm.assertEq(registry.isAuthorized(issuer, stranger, ANCHOR), false, "at the second");
        vm.expectRevert(notAuthorized(stranger, ANCHOR));
        vm.prank(stranger);
        registry.anchor(issuer, ROOT, 1);
    }

    function testFuzz_strangersMayNothing(address who, uint8 role) public view {
        vm.assume(who != issuer && who != operator);
        vm.assertEq(registry.isAuthorized(issuer, who, role), false, "stranger");
    }

    function test_roleZeroIsTheControllers() public view {
        vm.assertEq(registry.isAuthorized(issuer, operator, 0), false, "operator");
        vm.assertTrue(registry.isAuthorized(issuer, issuer, 0), "controller");
    }
}
