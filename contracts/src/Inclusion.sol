// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The batch tree: leaves and inclusion proofs of RFC 9162 over SHA-256
library Inclusion {
    /// @notice The hash of a batch's leaf: a blinded credential digest and the status index given to it.
    function leafHash(bytes32 digest, uint64 statusIndex) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), digest, statusIndex));
    }

    /// @notice Whether `path` leads from `leaf`, at `index` of a tree of `size` leaves, to `root` (RFC 9162, 2.1.3.2).
    function verify(bytes32 root, uint64 size, uint64 index, bytes32 leaf, bytes32[] calldata path)
        internal
        view
        returns (bool)
    {
        // 1. An index outside the tree fails.
        if (index >= size) return false;
        // 2. fn and sn: the node on the way up and the last node of its level. 3. r: the hash so far.
        uint256 fn = index;
        uint256 sn = size - 1;
        bytes32 r = leaf;
        // 4. For each sibling:
        for (uint256 i = 0; i < path.length; i++) {
            // a. a path that goes on above the root fails;
            if (sn == 0) return false;
            if (fn & 1 == 1 || fn == sn) {
                // b. a left sibling; a last node without a right one rises to where it has a left one;
                r = nodeHash(path[i], r);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                // or a right sibling;
                r = nodeHash(r, path[i]);
            }
            // c. one level up.
            fn >>= 1;
            sn >>= 1;
        }
        // 5. The path must have ended at the root, with its hash.
        return sn == 0 && r == root;
    }

    /// @dev sha256(0x01 || left || right), in memory that is free to be overwritten: `abi.encodePacked` would take new
    /// memory at each level, and twice the gas.
    function nodeHash(bytes32 left, bytes32 right) private view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let entry := mload(0x40)
            mstore8(entry, 0x01)
            mstore(add(entry, 0x01), left)
            mstore(add(entry, 0x21), right)
            if iszero(staticcall(gas(), 0x02, entry, 0x41, 0x00, 0x20)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }
}
