// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Inclusion} from "./Inclusion.sol";

/// @title Testamur Registry: which batches of credentials an issuer has anchored, and the roots of its status trees
/// @notice An issuer is an address and needs no registration. It acts through its controller (at first the address
/// itself) and the operators that the controller appoints. Nobody else can write for it, change this contract or stop it.
/// @dev Every event names the block of the one before it in its chain, so that a client finds all of them by walking
/// back, one block at a time. Each issuer has three kinds of chains: its anchors ({Anchored}), the status updates of one
/// purpose ({StatusUpdated}), and its acts ({Withdrawn}, {OperatorSet}, {ControllerChanged}). `previousBlock` is 0 in the
/// first event of a chain, and the event's own block where the one before fell into the same block.
///
/// The storage layout is frozen: verifiers prove slots 0 and 1 with `eth_getProof`. Lowest bits first, it is
///   anchor:   keccak256(root . keccak256(issuer . 0))          uint64 time, uint64 blockNumber, uint64 size, bool withdrawn
///   status:   s = keccak256(purpose . keccak256(issuer . 1))   bytes32 root
///             s + 1                                            uint64 epoch, uint64 time, uint64 blockNumber
///   issuer:   keccak256(issuer . 2)                            address controller, uint48 anchorBlock, uint48 actBlock
///   operator: keccak256(operator . keccak256(issuer . 3))      uint8 roles, uint64 expires
///   proposed: keccak256(issuer . 4)                            address
/// where `.` joins 32-byte words, addresses and numbers padded on the left.
///
/// No immutables: the code, and so its hash, is the same on every chain.
contract Registry {
    /// @notice A batch to anchor: the root of its tree and the number of its leaves.
    struct Batch {
        address issuer;
        bytes32 root;
        uint64 size;
    }

    /// @dev One slot. `size` is never 0 where a root is anchored.
    struct Anchor {
        uint64 time;
        uint64 blockNumber;
        uint64 size;
        bool withdrawn;
    }

    /// @dev Two slots.
    struct Status {
        bytes32 root;
        uint64 epoch;
        uint64 time;
        uint64 blockNumber;
    }

    /// @dev One slot. A zero controller is the issuer itself; the blocks are the heads of two chains of events.
    struct Issuer {
        address controller;
        uint48 anchorBlock;
        uint48 actBlock;
    }

    /// @dev One slot. May write while the block's time is below `expires`, exclusive.
    struct Operator {
        uint8 roles;
        uint64 expires;
    }

    /// @dev The roles of operators: may anchor batches; may update status roots, of any purpose; may withdraw batches.
    uint8 internal constant ANCHOR = 1;
    uint8 internal constant REVOKE = 2;
    uint8 internal constant WITHDRAW = 4;
    /// @dev What no operator has: the right to set operators and controllers.
    uint8 internal constant CONTROL = 0;

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ANCHOR_TYPEHASH =
        keccak256("Anchor(address issuer,bytes32 root,uint64 size,uint64 deadline)");
    bytes32 private constant UPDATE_STATUS_TYPEHASH =
        keccak256("UpdateStatus(address issuer,uint8 purpose,uint64 epoch,bytes32 root,bytes delta,uint64 deadline)");

    mapping(address issuer => mapping(bytes32 root => Anchor)) private _anchors;
    mapping(address issuer => mapping(uint8 purpose => Status)) private _statuses;
    mapping(address issuer => Issuer) private _issuers;
    mapping(address issuer => mapping(address operator => Operator)) private _operators;
    mapping(address issuer => address) private _proposed;

    /// @notice `root`, of a batch of `size` leaves, was anchored.
    event Anchored(address indexed issuer, bytes32 indexed root, uint64 size, uint64 previousBlock);

    /// @notice The status tree of `purpose` got a new root; `delta` lists the toggled indices.
    event StatusUpdated(
        address indexed issuer, uint8 indexed purpose, uint64 epoch, bytes32 root, bytes delta, uint64 previousBlock
    );

    /// @notice A whole batch was withdrawn, for good.
    event Withdrawn(address indexed issuer, bytes32 indexed root, uint8 reason, uint64 previousBlock);

    /// @notice `operator` has exactly these roles until `expires`; none: it was dismissed.
    event OperatorSet(
        address indexed issuer, address indexed operator, uint8 roles, uint64 expires, uint64 previousBlock
    );

    /// @notice `controller` now controls the issuer.
    event ControllerChanged(address indexed issuer, address indexed controller, uint64 previousBlock);

    /// @notice `who` is neither the controller nor an unexpired operator with `role` (0: only the controller will do).
    error NotAuthorized(address issuer, address who, uint8 role);
    /// @notice The signature is not the controller's over these arguments, for this contract on this chain.
    error BadSignature(address issuer, address controller);
    /// @notice The signature's deadline has passed.
    error Expired(uint64 deadline);
    /// @notice A batch has at least one leaf.
    error EmptyBatch(address issuer, bytes32 root);
    /// @notice A root is anchored once.
    error AlreadyAnchored(address issuer, bytes32 root);
    /// @notice Only an anchored root can be withdrawn.
    error NotAnchored(address issuer, bytes32 root);
    /// @notice A root is withdrawn once.
    error AlreadyWithdrawn(address issuer, bytes32 root);
    /// @notice Another update came first, or one is missing.
    error WrongEpoch(uint64 expected, uint64 given);
    /// @notice There are no roles above 7: the bits are anchor = 1, revoke = 2, withdraw = 4.
    error UnknownRoles(uint8 roles);
    /// @notice `who` is not the account that the controller proposed.
    error NotProposed(address issuer, address who);

    // --- Anchors

    /// @notice Records the root of a batch of `size` leaves, once.
    function anchor(address issuer, bytes32 root, uint64 size) external {
        _requireRole(issuer, ANCHOR);
        _anchor(issuer, root, size);
    }

    /// @notice Records several batches, of one issuer or of several: all, or none.
    function anchorMany(Batch[] calldata batches) external {
        for (uint256 i = 0; i < batches.length; i++) {
            Batch calldata batch = batches[i];
            _requireRole(batch.issuer, ANCHOR);
            _anchor(batch.issuer, batch.root, batch.size);
        }
    }

    /// @notice The same as {anchor}, by the controller's EIP-712 signature, for anyone to send until `deadline`, inclusive.
    /// @dev Needs no nonce: a root anchors once.
    function anchorWithSignature(address issuer, bytes32 root, uint64 size, uint64 deadline, bytes calldata signature)
        external
    {
        bytes32 structHash = keccak256(abi.encode(ANCHOR_TYPEHASH, issuer, root, size, deadline));
        _requireSignature(issuer, structHash, deadline, signature);
        _anchor(issuer, root, size);
    }

    /// @notice Marks a whole batch as withdrawn, for good. `reason` is the issuer's own code, only published.
    function withdraw(address issuer, bytes32 root, uint8 reason) external {
        _requireRole(issuer, WITHDRAW);
        Anchor storage anchored = _anchors[issuer][root];
        if (anchored.size == 0) revert NotAnchored(issuer, root);
        if (anchored.withdrawn) revert AlreadyWithdrawn(issuer, root);
        anchored.withdrawn = true;
        emit Withdrawn(issuer, root, reason, _linkAct(issuer));
    }

    // --- Status

    /// @notice Replaces the root of one status tree; `epoch` is the stored one plus 1.
    /// @dev That `delta` leads from the old root to the new one is for mirrors to check: here it is only published.
    function updateStatus(address issuer, uint8 purpose, uint64 epoch, bytes32 root, bytes calldata delta) external {
        _requireRole(issuer, REVOKE);
        _updateStatus(issuer, purpose, epoch, root, delta);
    }

    /// @notice The same as {updateStatus}, by the controller's EIP-712 signature, for anyone to send until `deadline`,
    /// inclusive.
    /// @dev Needs no nonce: an epoch advances once.
    function updateStatusWithSignature(
        address issuer,
        uint8 purpose,
        uint64 epoch,
        bytes32 root,
        bytes calldata delta,
        uint64 deadline,
        bytes calldata signature
    ) external {
        bytes32 structHash = keccak256(
            abi.encode(UPDATE_STATUS_TYPEHASH, issuer, purpose, epoch, root, keccak256(delta), deadline)
        );
        _requireSignature(issuer, structHash, deadline, signature);
        _updateStatus(issuer, purpose, epoch, root, delta);
    }

    // --- Who may write

    /// @notice Gives `operator` exactly these roles while the block's time is below `expires`; roles 0 dismiss it.
    /// @dev Operators stay when the controller changes: the new one dismisses those it does not want.
    function setOperator(address issuer, address operator, uint8 roles, uint64 expires) external {
        _requireRole(issuer, CONTROL);
        if (roles > ANCHOR | REVOKE | WITHDRAW) revert UnknownRoles(roles);
        if (roles == 0) expires = 0;
        _operators[issuer][operator] = Operator(roles, expires);
        emit OperatorSet(issuer, operator, roles, expires, _linkAct(issuer));
    }

    /// @notice Proposes the next controller, in place of any proposed before; the zero address cancels.
    function setController(address issuer, address next) external {
        _requireRole(issuer, CONTROL);
        _proposed[issuer] = next;
    }

    /// @notice The proposed account takes control. The issuer's address stays its name.
    function acceptController(address issuer) external {
        if (msg.sender != _proposed[issuer]) revert NotProposed(issuer, msg.sender);
        delete _proposed[issuer];
        _issuers[issuer].controller = msg.sender;
        emit ControllerChanged(issuer, msg.sender, _linkAct(issuer));
    }

    // --- Views

    /// @notice When and where `root` was anchored, its number of leaves, and whether it was withdrawn; zeros if never.
    function anchorOf(address issuer, bytes32 root)
        external
        view
        returns (uint64 time, uint64 blockNumber, uint64 size, bool withdrawn)
    {
        Anchor storage anchored = _anchors[issuer][root];
        return (anchored.time, anchored.blockNumber, anchored.size, anchored.withdrawn);
    }

    /// @notice The root of one status tree, its epoch, and when and where it was written; zeros if never.
    function statusOf(address issuer, uint8 purpose)
        external
        view
        returns (bytes32 root, uint64 epoch, uint64 time, uint64 blockNumber)
    {
        Status storage status = _statuses[issuer][purpose];
        return (status.root, status.epoch, status.time, status.blockNumber);
    }

    /// @notice Whether `who` may now do everything in `role`, a set of role bits, for `issuer`. Role 0: is it the controller?
    function isAuthorized(address issuer, address who, uint8 role) public view returns (bool) {
        if (who == controllerOf(issuer)) return true;
        Operator storage operator = _operators[issuer][who];
        return role != CONTROL && operator.roles & role == role && block.timestamp < operator.expires;
    }

    /// @notice The account that controls `issuer`: at first the issuer itself.
    function controllerOf(address issuer) public view returns (address) {
        address controller = _issuers[issuer].controller;
        return controller == address(0) ? issuer : controller;
    }

    /// @notice The account proposed as the next controller, or zero.
    function pendingControllerOf(address issuer) external view returns (address) {
        return _proposed[issuer];
    }

    /// @notice The roles of `operator`, and the time from which it has them no more.
    function operatorOf(address issuer, address operator) external view returns (uint8 roles, uint64 expires) {
        Operator storage appointed = _operators[issuer][operator];
        return (appointed.roles, appointed.expires);
    }

    /// @notice The heads of two chains of events: the blocks of the newest anchor and of the newest act.
    function lastBlocksOf(address issuer) external view returns (uint64 anchorBlock, uint64 actBlock) {
        return (_issuers[issuer].anchorBlock, _issuers[issuer].actBlock);
    }

    /// @notice The EIP-712 domain that signatures are made for. Computed anew: the code knows neither chain nor address.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("Testamur Registry"), keccak256("1"), block.chainid, address(this))
        );
    }

    /// @notice Whether a credential's digest, with its status index, is leaf `leafIndex` of an anchored batch that was not
    /// withdrawn. Says nothing about the credential's status bit.
    function verifyInclusion(
        address issuer,
        bytes32 root,
        bytes32 digest,
        uint64 statusIndex,
        uint64 leafIndex,
        bytes32[] calldata path
    ) external view returns (bool) {
        Anchor storage anchored = _anchors[issuer][root];
        if (anchored.withdrawn || statusIndex >> 40 != 0) return false;
        return Inclusion.verify(root, anchored.size, leafIndex, Inclusion.leafHash(digest, statusIndex), path);
    }

    // --- The rules

    function _requireRole(address issuer, uint8 role) private view {
        if (!isAuthorized(issuer, msg.sender, role)) revert NotAuthorized(issuer, msg.sender, role);
    }

    function _requireSignature(address issuer, bytes32 structHash, uint64 deadline, bytes calldata signature)
        private
        view
    {
        if (block.timestamp > deadline) revert Expired(deadline);
        address controller = controllerOf(issuer);
        bytes32 hash = MessageHashUtils.toTypedDataHash(domainSeparator(), structHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(controller, hash, signature)) {
            revert BadSignature(issuer, controller);
        }
    }

    function _anchor(address issuer, bytes32 root, uint64 size) private {
        if (size == 0) revert EmptyBatch(issuer, root);
        Anchor storage anchored = _anchors[issuer][root];
        if (anchored.size != 0) revert AlreadyAnchored(issuer, root);
        (anchored.time, anchored.blockNumber, anchored.size) = (uint64(block.timestamp), uint64(block.number), size);
        uint64 previousBlock = _issuers[issuer].anchorBlock;
        _issuers[issuer].anchorBlock = uint48(block.number);
        emit Anchored(issuer, root, size, previousBlock);
    }

    function _updateStatus(address issuer, uint8 purpose, uint64 epoch, bytes32 root, bytes calldata delta) private {
        Status storage status = _statuses[issuer][purpose];
        if (epoch != status.epoch + 1) revert WrongEpoch(status.epoch + 1, epoch);
        uint64 previousBlock = status.blockNumber;
        status.root = root;
        (status.epoch, status.time, status.blockNumber) = (epoch, uint64(block.timestamp), uint64(block.number));
        emit StatusUpdated(issuer, purpose, epoch, root, delta, previousBlock);
    }

    /// @dev Makes the current block the head of the issuer's acts and returns the one before.
    function _linkAct(address issuer) private returns (uint64 previousBlock) {
        previousBlock = _issuers[issuer].actBlock;
        _issuers[issuer].actBlock = uint48(block.number);
    }
}
