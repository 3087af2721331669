// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Base, vm} from "./Base.sol";
import {Registry} from "../src/Registry.sol";

/// The committed artefact is what verifiers compare a chain with.
contract DeploymentTest is Base {
    string private json = vm.readFile("artifacts/Registry.json");
    /// The deterministic deployment proxy, as it stands on every chain.
    bytes private constant PROXY_CODE =
        hex"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3";

    function test_isWhatTheSourceGives() public view {
        vm.assertEq(vm.parseJsonBytes(json, ".bytecode"), type(Registry).creationCode, "bytecode");
        vm.assertEq(vm.parseJsonBytes(json, ".deployedBytecode"), address(registry).code, "deployedBytecode");
        vm.assertEq(vm.parseJsonBytes32(json, ".codeHash"), address(registry).codehash, "codeHash");
        vm.assertEq(vm.parseJsonBytes32(json, ".create2.salt"), keccak256("testamur.registry.v1"), "salt");
    }

    function testFuzz_everyChainGivesTheSameCodeAtTheSameAddress(uint64 chainId) public {
        vm.assume(chainId != 0);
        vm.chainId(chainId);
        address proxy = vm.parseJsonAddress(json, ".create2.proxy");
        vm.etch(proxy, PROXY_CODE);
        (bool ok, bytes memory answer) =
            proxy.call(bytes.concat(vm.parseJsonBytes32(json, ".create2.salt"), vm.parseJsonBytes(json, ".bytecode")));
        vm.assertTrue(ok, "deployment");
        address deployed = address(bytes20(answer));
        vm.assertEq(deployed, vm.parseJsonAddress(json, ".create2.address"), "address");
        vm.assertEq(deployed.codehash, vm.parseJsonBytes32(json, ".codeHash"), "codeHash");
    }

    function testFuzz_domainSeparator(uint64 chainId, address where) public {
        vm.assume(chainId != 0 && uint160(where) > 0xffff && where.code.length == 0);
        vm.chainId(chainId);
        vm.etch(where, address(registry).code);
        bytes32 expected = keccak256(
            abi.encode(
                // EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)
                bytes32(0x8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f),
                keccak256("Testamur Registry"),
                keccak256("1"),
                uint256(chainId),
                where
            )
        );
        vm.assertEq(Registry(where).domainSeparator(), expected, "domainSeparator");
    }
}
