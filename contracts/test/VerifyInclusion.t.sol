// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Base, vm} from "./Base.sol";

/// The definitions of RFC 9162, 2.1.1 and 2.1.3.1, recursive as they are printed there.
library Reference {
    function leaf(bytes32 digest, uint64 statusIndex) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(0), digest, statusIndex));
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(1), left, right));
    }

    function rootOf(bytes32[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 k = split(to - from);
        return node(rootOf(leaves, from, from + k), rootOf(leaves, from + k, to));
    }

    function pathOf(uint256 index, bytes32[] memory leaves, uint256 from, uint256 to)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = split(to - from);
        return index < k
            ? append(pathOf(index, leaves, from, from + k), rootOf(leaves, from + k, to))
            : append(pathOf(index - k, leaves, from + k, to), rootOf(leaves, from, from + k));
    }

    function append(bytes32[] memory list, bytes32 last) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; i++) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }

    function split(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }
}

contract VerifyInclusionTest is Base {
    function tree(uint256 size) private pure returns (bytes32[] memory leaves, bytes32 root) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) {
            leaves[i] = Reference.leaf(keccak256(abi.encode(i)), uint64(i * 7));
        }
        root = Reference.rootOf(leaves, 0, size);
    }

    function anchor(bytes32 root, uint64 size) private {
        vm.prank(issuer);
        registry.anchor(issuer, root, size);
    }

    function holds(bytes32 root, uint256 index, bytes32[] memory path) private view returns (bool) {
        return
            registry.verifyInclusion(issuer, root, keccak256(abi.encode(index)), uint64(index * 7), uint64(index), path);
    }

    function test_everyLeafOfEverySmallTree() public {
        for (uint256 size = 1; size <= 17; size++) {
            (bytes32[] memory leaves, bytes32 root) = tree(size);
            anchor(root, uint64(size));
            for (uint256 i = 0; i < size; i++) {
                bytes32[] memory path = Reference.pathOf(i, leaves, 0, size);
                vm.assertTrue(holds(root, i, path), "a genuine proof");
                for (uint64 j = 0; j < size + 2; j++) {
                    bool ok = registry.verifyInclusion(issuer, root, keccak256(abi.encode(i)), uint64(i * 7), j, path);
                    vm.assertEq(ok, i == j, "at another index");
                }
            }
        }
    }

    function testFuzz_flipAnyBitAndItFails(uint256 size, uint256 index, uint256 bit) public {
        size = size % 63 + 2;
        index %= size;
        (bytes32[] memory leaves, bytes32 root) = tree(size);
        anchor(root, uint64(size));
        bytes32[] memory path = Reference.pathOf(index, leaves, 0, size);
        vm.assertTrue(holds(root, index, path), "untouched");
        bit %= path.length * 256;
        path[bit / 256] ^= bytes32(2 ** (bit % 256));
        vm.assertEq(holds(root, index, path), false, "one bit flipped");
    }

    function testFuzz_refusesAnotherLeaf(bytes32 digest, uint64 statusIndex) public {
        (bytes32[] memory leaves, bytes32 root) = tree(5);
        anchor(root, 5);
        bytes32[] memory path = Reference.pathOf(3, leaves, 0, 5);
        vm.assertTrue(holds(root, 3, path), "the leaf itself");
        vm.assertEq(
            registry.verifyInclusion(issuer, root, digest, 21, 3, path),
            digest == keccak256(abi.encode(3)),
            "another digest"
        );
        vm.assertEq(
            registry.verifyInclusion(issuer, root, keccak256(abi.encode(3)), statusIndex, 3, path),
            statusIndex == 21,
            "another status index"
        );
    }

    function test_refusesAnUnknownRoot() public view {
        (bytes32[] memory leaves, bytes32 root) = tree(1);
        vm.assertEq(holds(root, 0, Reference.pathOf(0, leaves, 0, 1)), false, "not anchored");
    }

    function test_refusesAWithdrawnRoot() public {
        (bytes32[] memory leaves, bytes32 root) = tree(2);
        anchor(root, 2);
        bytes32[] memory path = Reference.pathOf(1, leaves, 0, 2);
        vm.assertTrue(holds(root, 1, path), "before");
        vm.prank(issuer);
        registry.withdraw(issuer, root, 0);
        vm.assertEq(holds(root, 1, path), false, "after");
    }

    function test_refusesAnothersAnchor() public {
        (, bytes32 root) = tree(1);
        anchor(root, 1);
        bytes32 digest = keccak256(abi.encode(0));
        vm.assertTrue(registry.verifyInclusion(issuer, root, digest, 0, 0, new bytes32[](0)), "its issuer");
        vm.assertEq(registry.verifyInclusion(other, root, digest, 0, 0, new bytes32[](0)), false, "another");
    }

    function test_refusesAStatusIndexBeyondTheTree() public {
        uint64[3] memory indices = [uint64(2 ** 40 - 1), 2 ** 40, type(uint64).max];
        for (uint256 i = 0; i < 3; i++) {
            bytes32 root = Reference.leaf(ROOT, indices[i]);
            anchor(root, 1);
            bool ok = registry.verifyInclusion(issuer, root, ROOT, indices[i], 0, new bytes32[](0));
            vm.assertEq(ok, i == 0, "status index");
        }
    }

    /// The size says where the root is: a path that reaches the anchored hash higher up is none.
    function test_refusesAPathBeyondTheRoot() public {
        bytes32[] memory path = new bytes32[](1);
        path[0] = keccak256("left");
        bytes32 root = Reference.node(path[0], Reference.leaf(ROOT, 1));
        anchor(root, 1);
        vm.assertEq(registry.verifyInclusion(issuer, root, ROOT, 1, 0, path), false, "one level above a tree of one");
        vm.prank(other);
        registry.anchor(other, root, 2);
        vm.assertTrue(registry.verifyInclusion(other, root, ROOT, 1, 1, path), "the last leaf of two");
    }

    /// The last leaf of the largest tree has the longest way up.
    function test_theLargestTree() public {
        bytes32 r = Reference.leaf(ROOT, 1);
        bytes32[] memory path = new bytes32[](64);
        for (uint256 i = 0; i < 64; i++) {
            path[i] = keccak256(abi.encode(i));
            // Of 2^64 - 1 leaves the last stands at an even index without a right sibling at the lowest level.
            if (i > 0) r = Reference.node(path[i], r);
        }
        bytes32[] memory rest = new bytes32[](63);
        for (uint256 i = 0; i < 63; i++) {
            rest[i] = path[i + 1];
        }
        vm.assertEq(registry.verifyInclusion(issuer, r, ROOT, 1, type(uint64).max - 1, rest), false, "not anchored");
        anchor(r, type(uint64).max);
        vm.assertTrue(registry.verifyInclusion(issuer, r, ROOT, 1, type(uint64).max - 1, rest), "the last leaf");
        vm.assertEq(registry.verifyInclusion(issuer, r, ROOT, 1, type(uint64).max, rest), false, "beyond it");
        vm.assertEq(registry.verifyInclusion(issuer, r, ROOT, 1, type(uint64).max - 1, path), false, "too long");
    }

    function testFuzz_neverRevertsOnNoise(uint64 size, uint64 statusIndex, uint64 index, bytes32[] calldata path)
        public
    {
        vm.assume(size != 0);
        anchor(ROOT, size);
        vm.assertEq(registry.verifyInclusion(issuer, ROOT, ROOT, statusIndex, index, path), false, "noise");
    }
}

/// The cases that every implementation shares.
contract BatchVectorsTest is Base {
    struct Entry {
        bytes32 digest;
        uint64 statusIndex;
    }

    struct Proof {
        uint64 leafIndex;
        bytes32[] path;
    }

    struct Rejected {
        uint64 entry;
        uint64 leafIndex;
        bytes32[] path;
        uint64 treeSize;
        string why;
    }

    struct Case {
        Entry[] entries;
        Proof[] proofs;
        Rejected[] rejected;
        bytes32 root;
        uint64 treeSize;
    }

    string private constant TYPES = "Case(Entry[] entries,Proof[] proofs,Rejected[] rejected,bytes32 root,uint64 treeSize)"
        "Entry(bytes32 digest,uint64 statusIndex)" "Proof(uint64 leafIndex,bytes32[] path)"
        "Rejected(uint64 entry,uint64 leafIndex,bytes32[] path,uint64 treeSize,string why)";

    function cases() private view returns (Case[] memory) {
        string memory json = vm.readFile("../tests/vectors/protocol.json");
        return abi.decode(vm.parseJsonTypeArray(json, ".batch", TYPES), (Case[]));
    }

    function verify(address who, Case memory c, uint256 entry, uint64 leafIndex, bytes32[] memory path)
        private
        view
        returns (bool)
    {
        Entry memory e = c.entries[entry];
        return registry.verifyInclusion(who, c.root, e.digest, e.statusIndex, leafIndex, path);
    }

    function test_acceptsWhatMustBeAccepted() public {
        Case[] memory list = cases();
        vm.assertEq(list.length, 17, "batches");
        for (uint256 b = 0; b < list.length; b++) {
            vm.prank(issuer);
            registry.anchor(issuer, list[b].root, list[b].treeSize);
            vm.assertTrue(list[b].proofs.length > 0, "no proofs");
            for (uint256 p = 0; p < list[b].proofs.length; p++) {
                Proof memory proof = list[b].proofs[p];
                vm.assertTrue(verify(issuer, list[b], proof.leafIndex, proof.leafIndex, proof.path), "refused");
            }
        }
    }

    /// The size is not the prover's to claim here: it comes from the anchor. So a case that claims another size is tried
    /// under an issuer that anchored the root with that size, and reaches the root only where the vectors say so.
    function test_refusesWhatMustBeRefused() public {
        Case[] memory list = cases();
        for (uint256 b = 0; b < list.length; b++) {
            vm.assertTrue(list[b].rejected.length > 0, "no rejected proofs");
            for (uint256 r = 0; r < list[b].rejected.length; r++) {
                Rejected memory claim = list[b].rejected[r];
                address liar = address(uint160(0x1000 + claim.treeSize));
                (,, uint64 anchored,) = registry.anchorOf(liar, list[b].root);
                if (anchored == 0 && claim.treeSize != 0) {
                    vm.prank(liar);
                    registry.anchor(liar, list[b].root, claim.treeSize);
                }
                bool reaches = claim.treeSize != list[b].treeSize && contains(claim.why, "root still reached");
                vm.assertEq(verify(liar, list[b], claim.entry, claim.leafIndex, claim.path), reaches, claim.why);
            }
        }
    }

    function contains(string memory text, string memory part) private pure returns (bool) {
        bytes memory t = bytes(text);
        bytes memory p = bytes(part);
        for (uint256 i = 0; i + p.length <= t.length; i++) {
            uint256 j = 0;
            while (j < p.length && t[i + j] == p[j]) j++;
            if (j == p.length) return true;
        }
        return false;
    }
}
