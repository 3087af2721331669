// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// What a status tree is measured against: one storage slot for each revoked document, as plainly as it can be done.
/// Never deployed but for that.
contract SlotPerRevocation {
    event Revoked(address indexed issuer, bytes32 indexed document);

    mapping(address issuer => mapping(bytes32 document => uint256 time)) public revokedAt;

    function revoke(bytes32[] calldata documents) external {
        for (uint256 i = 0; i < documents.length; ++i) {
            revokedAt[msg.sender][documents[i]] = block.timestamp;
            emit Revoked(msg.sender, documents[i]);
        }
    }
}
