// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ANCHOR, REVOKE, Signing, Vm, vm, WITHDRAW} from "./Base.sol";
import {Registry} from "../src/Registry.sol";

/// Five accounts, two of them issuers, try everything, allowed or not. A plain model says what ought to happen; the
/// handler notes where the registry differs, and every event it emits.
contract Handler {
    struct Anchor {
        uint64 time;
        uint64 blockNumber;
        uint64 size;
        bool withdrawn;
    }

    struct Operator {
        uint8 roles;
        uint64 expires;
    }

    struct Sent {
        bytes call;
        bool done;
    }

    /// One event as its chain needs it.
    struct Link {
        uint64 blockNumber;
        uint64 previousBlock;
        uint64 epoch;
    }

    uint256 public constant ACCOUNTS = 5;
    uint256 public constant ISSUERS = 2;
    uint256 public constant ROOTS = 6;
    uint8 public constant PURPOSES = 2;

    Registry public registry = new Registry();
    uint64 private time = 1_800_000_000;
    uint64 private height = 1000;

    mapping(address issuer => mapping(bytes32 root => Anchor)) public anchors;
    mapping(address issuer => mapping(uint8 purpose => uint64)) public epochs;
    mapping(address issuer => address) public controllers;
    mapping(address issuer => address) public proposed;
    mapping(address issuer => mapping(address => Operator)) public operators;
    Sent[] private signed;
    mapping(bytes32 chain => Link[]) private chains;

    uint256 public unauthorizedWrites;
    uint256 public replayedWrites;
    uint256 public otherWrites;
    uint256 public refusals;
    uint256 public foreignEvents;

    constructor() {
        for (uint256 i = 0; i < ISSUERS; i++) {
            controllers[account(i)] = account(i);
        }
    }

    // --- What the accounts do

    function anchor(uint256 who, uint256 issuer, uint256 root, uint64 size) external {
        Registry.Batch memory b = batch(issuer, root, size);
        bool allowed = may(b.issuer, account(who), ANCHOR);
        if (attempt(account(who), abi.encodeCall(Registry.anchor, (b.issuer, b.root, b.size)), allowed, fresh(b))) {
            noteAnchor(b);
        }
    }

    function anchorMany(uint256 who, uint256[2] memory issuer, uint256[2] memory root, uint64[2] memory size) external {
        Registry.Batch[] memory list = new Registry.Batch[](2);
        (list[0], list[1]) = (batch(issuer[0], root[0], size[0]), batch(issuer[1], root[1], size[1]));
        bool twice = list[0].issuer == list[1].issuer && list[0].root == list[1].root;
        bool allowed = may(list[0].issuer, account(who), ANCHOR) && may(list[1].issuer, account(who), ANCHOR);
        bool sound = fresh(list[0]) && fresh(list[1]) && !twice;
        if (attempt(account(who), abi.encodeCall(Registry.anchorMany, (list)), allowed, sound)) {
            noteAnchor(list[0]);
            noteAnchor(list[1]);
        }
    }

    function anchorWithSignature(uint256 who, uint256 signer, uint256 issuer, uint256 root, uint64 size, int8 left)
        external
    {
        Registry.Batch memory b = batch(issuer, root, size);
        uint64 deadline = uint64(int64(time) + left);
        bytes32 hash = Signing.anchorHash(registry, b.issuer, b.root, b.size, deadline);
        bytes memory call = abi.encodeCall(
            Registry.anchorWithSignature, (b.issuer, b.root, b.size, deadline, Signing.sign(key(signer), hash))
        );
        bool allowed = account(signer) == controllers[b.issuer] && left >= 0;
        bool done = attempt(account(who), call, allowed, fresh(b));
        if (done) noteAnchor(b);
        signed.push(Sent(call, done));
    }

    function withdraw(uint256 who, uint256 issuer, uint256 root, uint8 reason) external {
        Registry.Batch memory b = batch(issuer, root, 1);
        Anchor storage a = anchors[b.issuer][b.root];
        bool allowed = may(b.issuer, account(who), WITHDRAW);
        bool sound = a.size != 0 && !a.withdrawn;
        if (attempt(account(who), abi.encodeCall(Registry.withdraw, (b.issuer, b.root, reason)), allowed, sound)) {
            a.withdrawn = true;
        }
    }

    function updateStatus(uint256 who, uint256 issuer, uint8 purpose, uint64 skip, bytes32 root, bytes memory delta)
        external
    {
        (address i, uint8 p) = (account(issuer % ISSUERS), purpose % PURPOSES);
        uint64 epoch = epochs[i][p] + skip % 3;
        bool allowed = may(i, account(who), REVOKE);
        bytes memory call = abi.encodeCall(Registry.updateStatus, (i, p, epoch, root, delta));
        if (attempt(account(who), call, allowed, skip % 3 == 1)) epochs[i][p]++;
    }

    function updateStatusWithSignature(uint256 signer, uint256 issuer, uint8 purpose, uint64 skip, int8 left) external {
        (address i, uint8 p) = (account(issuer % ISSUERS), purpose % PURPOSES);
        uint64 epoch = epochs[i][p] + skip % 3;
        uint64 deadline = uint64(int64(time) + left);
        bytes memory call = signedUpdate(i, p, epoch, deadline, key(signer));
        bool done = attempt(account(4), call, account(signer) == controllers[i] && left >= 0, skip % 3 == 1);
        if (done) epochs[i][p]++;
        signed.push(Sent(call, done));
    }

    function setOperator(uint256 who, uint256 issuer, uint256 operator, uint8 roles, int8 left) external {
        (address i, address o) = (account(issuer % ISSUERS), account(operator));
        roles %= 10;
        uint64 expires = uint64(int64(time) + left);
        bytes memory call = abi.encodeCall(Registry.setOperator, (i, o, roles, expires));
        if (attempt(account(who), call, account(who) == controllers[i], roles < 8)) {
            operators[i][o] = Operator(roles, expires);
        }
    }

    function setController(uint256 who, uint256 issuer, uint256 next) external {
        address i = account(issuer % ISSUERS);
        address n = next % 4 == 3 ? address(0) : account(next);
        bytes memory call = abi.encodeCall(Registry.setController, (i, n));
        if (attempt(account(who), call, account(who) == controllers[i], true)) proposed[i] = n;
    }

    function acceptController(uint256 who, uint256 issuer) external {
        address i = account(issuer % ISSUERS);
        bytes memory call = abi.encodeCall(Registry.acceptController, (i));
        if (attempt(account(who), call, account(who) == proposed[i], true)) {
            (controllers[i], proposed[i]) = (account(who), address(0));
        }
    }

    function replay(uint256 who, uint256 which) external {
        if (signed.length == 0) return;
        Sent storage again = signed[which % signed.length];
        if (again.done && send(account(who), again.call)) replayedWrites++;
    }

    function pass(uint8 seconds_, uint8 blocks) external {
        time += seconds_;
        height += blocks % 4;
    }

    // --- The model

    function account(uint256 i) public pure returns (address) {
        return vm.addr(key(i));
    }

    function rootAt(uint256 i) public pure returns (bytes32) {
        return keccak256(abi.encode(i % ROOTS));
    }

    function linksOf(bytes32 chain, address issuer, uint8 purpose) external view returns (Link[] memory) {
        return chains[keccak256(abi.encode(chain, issuer, purpose))];
    }

    function key(uint256 i) private pure returns (uint256) {
        return 1000 + i % ACCOUNTS;
    }

    function batch(uint256 issuer, uint256 root, uint64 size) private pure returns (Registry.Batch memory) {
        return Registry.Batch(account(issuer % ISSUERS), rootAt(root), size % 5);
    }

    function signedUpdate(address issuer, uint8 purpose, uint64 epoch, uint64 deadline, uint256 signer)
        private
        view
        returns (bytes memory)
    {
        bytes32 root = keccak256(abi.encode(epoch));
        bytes memory signature =
            Signing.sign(signer, Signing.updateHash(registry, issuer, purpose, epoch, root, hex"01", deadline));
        return abi.encodeCall(
            Registry.updateStatusWithSignature, (issuer, purpose, epoch, root, hex"01", deadline, signature)
        );
    }

    function may(address issuer, address who, uint8 role) private view returns (bool) {
        Operator storage operator = operators[issuer][who];
        return who == controllers[issuer] || (operator.roles & role != 0 && time < operator.expires);
    }

    function fresh(Registry.Batch memory b) private view returns (bool) {
        return b.size != 0 && anchors[b.issuer][b.root].size == 0;
    }

    function noteAnchor(Registry.Batch memory b) private {
        anchors[b.issuer][b.root] = Anchor(time, height, b.size, false);
    }

    function attempt(address who, bytes memory call, bool allowed, bool sound) private returns (bool done) {
        done = send(who, call);
        if (done && !allowed) unauthorizedWrites++;
        else if (done && !sound) otherWrites++;
        else if (!done && allowed && sound) refusals++;
    }

    function send(address who, bytes memory call) private returns (bool done) {
        vm.warp(time);
        vm.roll(height);
        vm.recordLogs();
        vm.prank(who);
        (done,) = address(registry).call(call);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (!done) return false; // the recording keeps the logs of reverted calls too
        for (uint256 i = 0; i < logs.length; i++) {
            link(logs[i]);
        }
    }

    function link(Vm.Log memory log) private {
        bytes32 kind = log.topics[0];
        bytes32 chain = Registry.Withdrawn.selector; // of all acts
        uint8 purpose;
        uint64 epoch;
        uint64 previousBlock;
        if (kind == Registry.Anchored.selector) {
            chain = kind;
            (, previousBlock) = abi.decode(log.data, (uint64, uint64));
        } else if (kind == Registry.StatusUpdated.selector) {
            chain = kind;
            purpose = uint8(uint256(log.topics[2]));
            (epoch,,, previousBlock) = abi.decode(log.data, (uint64, bytes32, bytes, uint64));
        } else if (kind == Registry.Withdrawn.selector) {
            (, previousBlock) = abi.decode(log.data, (uint8, uint64));
        } else if (kind == Registry.OperatorSet.selector) {
            (,, previousBlock) = abi.decode(log.data, (uint8, uint64, uint64));
        } else if (kind == Registry.ControllerChanged.selector) {
            previousBlock = abi.decode(log.data, (uint64));
        } else {
            foreignEvents++;
        }
        address issuer = address(uint160(uint256(log.topics[1])));
        chains[keccak256(abi.encode(chain, issuer, purpose))].push(Link(height, previousBlock, epoch));
    }
}

contract RegistryInvariants {
    Handler private handler;
    Registry private registry;

    function setUp() public {
        handler = new Handler();
        registry = handler.registry();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    /// An anchor is what it was when it was written, but for `withdrawn`, which only ever becomes true.
    function invariant_anchorsNeverChange() public view {
        for (uint256 i = 0; i < handler.ISSUERS(); i++) {
            address issuer = handler.account(i);
            for (uint256 r = 0; r < handler.ROOTS(); r++) {
                (uint64 time, uint64 blockNumber, uint64 size, bool withdrawn) =
                    registry.anchorOf(issuer, handler.rootAt(r));
                (uint64 t, uint64 b, uint64 s, bool w) = handler.anchors(issuer, handler.rootAt(r));
                vm.assertEq(time, t, "time");
                vm.assertEq(blockNumber, b, "blockNumber");
                vm.assertEq(size, s, "size");
                vm.assertEq(withdrawn, w, "withdrawn");
            }
        }
    }

    function invariant_epochsRiseByOne() public view {
        for (uint256 i = 0; i < handler.ISSUERS(); i++) {
            for (uint8 p = 0; p < handler.PURPOSES(); p++) {
                address issuer = handler.account(i);
                Handler.Link[] memory links = handler.linksOf(Registry.StatusUpdated.selector, issuer, p);
                (, uint64 epoch,,) = registry.statusOf(issuer, p);
                vm.assertEq(epoch, links.length, "updates");
                vm.assertEq(epoch, handler.epochs(issuer, p), "epoch");
                for (uint256 k = 0; k < links.length; k++) {
                    vm.assertEq(links[k].epoch, k + 1, "epoch of an update");
                }
            }
        }
    }

    function invariant_onlyTheAuthorizedWrite() public view {
        vm.assertEq(handler.unauthorizedWrites(), 0, "unauthorized writes");
        vm.assertEq(handler.otherWrites(), 0, "writes that a rule forbids");
        vm.assertEq(handler.refusals(), 0, "refusals of what is allowed");
        for (uint256 i = 0; i < handler.ISSUERS(); i++) {
            address issuer = handler.account(i);
            vm.assertEq(registry.controllerOf(issuer), handler.controllers(issuer), "controller");
            vm.assertEq(registry.pendingControllerOf(issuer), handler.proposed(issuer), "proposed");
        }
    }

    function invariant_replayedSignaturesChangeNothing() public view {
        vm.assertEq(handler.replayedWrites(), 0, "replays");
    }

    function invariant_walkingBackFindsEveryEvent() public view {
        vm.assertEq(handler.foreignEvents(), 0, "events of no chain");
        for (uint256 i = 0; i < handler.ISSUERS(); i++) {
            address issuer = handler.account(i);
            (uint64 anchorBlock, uint64 actBlock) = registry.lastBlocksOf(issuer);
            walk(handler.linksOf(Registry.Anchored.selector, issuer, 0), anchorBlock);
            walk(handler.linksOf(Registry.Withdrawn.selector, issuer, 0), actBlock);
            for (uint8 p = 0; p < handler.PURPOSES(); p++) {
                (,,, uint64 blockNumber) = registry.statusOf(issuer, p);
                walk(handler.linksOf(Registry.StatusUpdated.selector, issuer, p), blockNumber);
            }
        }
    }

    /// As a client does it: fetch the logs of one block, follow the one that names an earlier block, until block 0.
    function walk(Handler.Link[] memory links, uint64 head) private pure {
        uint256 found = 0;
        while (head != 0) {
            uint64 next = head;
            for (uint256 i = 0; i < links.length; i++) {
                if (links[i].blockNumber != head) continue;
                found++;
                if (links[i].previousBlock == head) continue;
                vm.assertEq(next, head, "two events of one block point further back");
                next = links[i].previousBlock;
            }
            vm.assertTrue(next < head, "a block without a way back");
            head = next;
        }
        vm.assertEq(found, links.length, "events found");
    }
}
