// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Registry} from "../src/Registry.sol";

/// The cheat codes that these tests use (forge answers at this address).
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function prank(address sender) external;
    function warp(uint256 time) external;
    function roll(uint256 blockNumber) external;
    function chainId(uint256 id) external;
    function etch(address account, bytes calldata code) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function expectRevert(bytes calldata reason) external;
    function expectEmit(address emitter) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 hash) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function eip712HashTypedData(string calldata json) external pure returns (bytes32);
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonTypeArray(string calldata json, string calldata key, string calldata types)
        external
        pure
        returns (bytes memory);
    function toString(uint256 value) external pure returns (string memory);
    function toString(address value) external pure returns (string memory);
    function toString(bytes32 value) external pure returns (string memory);
    function toString(bytes calldata value) external pure returns (string memory);
    function assume(bool condition) external pure;
    function assertTrue(bool value, string calldata what) external pure;
    function assertEq(bool left, bool right, string calldata what) external pure;
    function assertEq(uint256 left, uint256 right, string calldata what) external pure;
    function assertEq(address left, address right, string calldata what) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata what) external pure;
    function assertEq(bytes calldata left, bytes calldata right, string calldata what) external pure;
}

Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

uint8 constant ANCHOR = 1;
uint8 constant REVOKE = 2;
uint8 constant WITHDRAW = 4;

uint64 constant FOREVER = type(uint64).max;

/// What an account signs, spelled out here once more: the contract's own type strings are not used.
library Signing {
    bytes32 constant ANCHOR_TYPEHASH = keccak256("Anchor(address issuer,bytes32 root,uint64 size,uint64 deadline)");
    bytes32 constant UPDATE_TYPEHASH =
        keccak256("UpdateStatus(address issuer,uint8 purpose,uint64 epoch,bytes32 root,bytes delta,uint64 deadline)");

    function anchorHash(Registry registry, address issuer, bytes32 root, uint64 size, uint64 deadline)
        internal
        view
        returns (bytes32)
    {
        return typed(registry, keccak256(abi.encode(ANCHOR_TYPEHASH, issuer, root, size, deadline)));
    }

    function updateHash(
        Registry registry,
        address issuer,
        uint8 purpose,
        uint64 epoch,
        bytes32 root,
        bytes memory delta,
        uint64 deadline
    ) internal view returns (bytes32) {
        return typed(
            registry, keccak256(abi.encode(UPDATE_TYPEHASH, issuer, purpose, epoch, root, keccak256(delta), deadline))
        );
    }

    function sign(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        return abi.encodePacked(r, s, v);
    }

    function typed(Registry registry, bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", registry.domainSeparator(), structHash));
    }
}

/// An ERC-1271 wallet with one owner.
contract Wallet {
    address private immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
        return ecrecover(hash, uint8(signature[64]), r, s) == OWNER ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}

/// A registry, an issuer with a key, an operator with all roles, and a stranger.
abstract contract Base {
    Registry internal registry;
    uint256 internal constant KEY = 0xA11CE;
    uint256 internal constant OTHER_KEY = 0xB0B;
    address internal issuer = vm.addr(KEY);
    address internal other = vm.addr(OTHER_KEY);
    address internal operator = address(0x0123);
    address internal stranger = address(0x0666);
    bytes32 internal constant ROOT = keccak256("root");

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        registry = new Registry();
        appoint(operator, ANCHOR | REVOKE | WITHDRAW, FOREVER);
    }

    function appoint(address who, uint8 roles, uint64 expires) internal {
        vm.prank(issuer);
        registry.setOperator(issuer, who, roles, expires);
    }

    function handOver(address next) internal {
        vm.prank(registry.controllerOf(issuer));
        registry.setController(issuer, next);
        vm.prank(next);
        registry.acceptController(issuer);
    }

    function assertAnchor(bytes32 root, uint64 time, uint64 blockNumber, uint64 size, bool withdrawn) internal view {
        (uint64 t, uint64 b, uint64 s, bool w) = registry.anchorOf(issuer, root);
        vm.assertEq(t, time, "time");
        vm.assertEq(b, blockNumber, "blockNumber");
        vm.assertEq(s, size, "size");
        vm.assertEq(w, withdrawn, "withdrawn");
    }

    function assertStatus(uint8 purpose, bytes32 root, uint64 epoch, uint64 time, uint64 blockNumber) internal view {
        (bytes32 r, uint64 e, uint64 t, uint64 b) = registry.statusOf(issuer, purpose);
        vm.assertEq(r, root, "root");
        vm.assertEq(e, epoch, "epoch");
        vm.assertEq(t, time, "time");
        vm.assertEq(b, blockNumber, "blockNumber");
    }

    function notAuthorized(address who, uint8 role) internal view returns (bytes memory) {
        return abi.encodeWithSelector(Registry.NotAuthorized.selector, issuer, who, role);
    }
}
