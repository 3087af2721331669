// Measures what the calls cost on anvil, and compares with gas.json: a limit must not be broken, nor a measurement drift
// by more than 1 %. `--update` rewrites the measurements.
//
// Whole transactions, from their receipts, sent by an operator where the registry lets one; `verifyInclusion` is called,
// so its figure is the execution alone. Roots and keys are fixed, so the figures are the same in every run.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';

const contracts = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (tool) => join(contracts, 'node_modules/.bin', tool);
const artefact = JSON.parse(readFileSync(join(contracts, 'artifacts/Registry.json'), 'utf8'));
const registry = artefact.create2.address;
// The peer, as `forge build` left it.
const peer = JSON.parse(readFileSync(join(contracts, 'out/SlotPerRevocation.sol/SlotPerRevocation.json'), 'utf8'));

// --- The chain

function startAnvil() {
  const anvil = spawn(bin('anvil'), ['--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () => anvil.kill('SIGTERM');
  process.on('exit', stop);
  return new Promise((resolve, reject) => {
    let output = '';
    anvil.on('exit', () => reject(new Error(`anvil did not start:\n${output}`)));
    anvil.stdout.on('data', (chunk) => {
      output += chunk;
      const port = output.match(/Listening on 127\.0\.0\.1:(\d+)/)?.[1];
      if (port) resolve({ url: `http://127.0.0.1:${port}`, stop });
    });
  });
}

const { url, stop } = await startAnvil();

async function rpc(method, ...params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { result, error } = await answer.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

const calldata = (signature, ...args) =>
  execFileSync(bin('cast'), ['calldata', signature, ...args.map(String)], { encoding: 'utf8' }).trim();

async function included(from, to, data) {
  const hash = await rpc('eth_sendTransaction', { from, to, data, gas: '0xe00000' });
  let receipt;
  while (!(receipt = await rpc('eth_getTransactionReceipt', hash)));
  if (receipt.status !== '0x1') throw new Error(`reverted: ${data.slice(0, 10)}`);
  return receipt;
}

const transact = async (from, to, data) => Number((await included(from, to, data)).gasUsed);

/// The gas of the execution alone, without what a transaction pays for itself and its calldata.
async function execution(from, data) {
  const trace = await rpc('debug_traceCall', { from, to: registry, data, gas: '0xe00000' }, 'latest', {});
  if (BigInt(`0x${trace.returnValue.replace('0x', '')}`) !== 1n) throw new Error('verifyInclusion answered false');
  const [first, last] = [trace.structLogs[0], trace.structLogs.at(-1)];
  return first.gas - last.gas + last.gasCost;
}

// --- What is sent

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const hex = (bytes) => `0x${Buffer.from(bytes).toString('hex')}`;

/// Names a 32-byte value without zero bytes, which would be cheaper than the average.
const value = (name) => sha256(Buffer.from(name)).map((byte) => byte || 1);
const root = (name) => hex(value(name));

/// `count` different indices below `end`, toggled: the delta as protocol.md writes it.
function delta(count, seed, end = 131_072) {
  const indices = new Set();
  for (let i = 0; indices.size < count; i++) indices.add(value(`${seed} ${i}`).readUInt32BE() % end);
  const bytes = [];
  let previous = -1;
  for (const index of [...indices].sort((a, b) => a - b)) {
    let gap = index - previous - 1;
    previous = index;
    for (; gap > 0x7f; gap >>= 7) bytes.push((gap & 0x7f) | 0x80);
    bytes.push(gap);
  }
  return hex(bytes);
}

/// A leaf in the middle of a full tree of `levels` levels.
function inclusion(levels) {
  const index = 0x55555 % 2 ** levels;
  const digest = value('digest');
  const statusIndex = Buffer.alloc(8);
  statusIndex.writeBigUInt64BE(123_456n);
  let node = sha256(Buffer.of(0), digest, statusIndex);
  const path = Array.from({ length: levels }, (_, level) => value(`sibling ${level}`));
  path.forEach((sibling, level) => {
    node = (index >> level) & 1 ? sha256(Buffer.of(1), sibling, node) : sha256(Buffer.of(1), node, sibling);
  });
  return { root: hex(node), size: 2 ** levels, digest: hex(digest), statusIndex: 123_456, index, path: path.map(hex) };
}

async function sign(account, primaryType, types, message) {
  const chainId = Number(await rpc('eth_chainId'));
  const EIP712Domain = [
    { name: 'name', type: 'string' }, { name: 'version', type: 'string' },
    { name: 'chainId', type: 'uint256' }, { name: 'verifyingContract', type: 'address' },
  ];
  const fields = types.split(',').map((field) => ({ type: field.split(' ')[0], name: field.split(' ')[1] }));
  const domain = { name: 'Testamur Registry', version: '1', chainId, verifyingContract: registry };
  return rpc('eth_signTypedData_v4', account, {
    types: { EIP712Domain, [primaryType]: fields }, primaryType, domain, message,
  });
}

// --- The measurements

async function measure() {
  const [deployer, issuer, otherIssuer, operator, anyone, next] = await rpc('eth_accounts');
  const measured = {};
  const send = (from, ...call) => transact(from, registry, calldata(...call));
  const record = async (name, from, ...call) => (measured[name] = await send(from, ...call));

  const { proxy, salt } = artefact.create2;
  measured['deployment through the proxy'] = await transact(deployer, proxy, salt + artefact.bytecode.slice(2));
  const code = await rpc('eth_getCode', registry, 'latest');
  if (code !== artefact.deployedBytecode) throw new Error(`the code at ${registry} is not the artefact's`);

  const expires = 0xf1f1f1f1;
  const setOperator = 'setOperator(address,address,uint8,uint64)';
  await record('setOperator, first act', issuer, setOperator, issuer, operator, 7, expires);
  await record('setOperator, another', issuer, setOperator, issuer, anyone, 1, expires);
  await record('setOperator, dismissal', issuer, setOperator, issuer, anyone, 0, 0);
  await send(otherIssuer, setOperator, otherIssuer, operator, 7, expires);

  const anchor = 'anchor(address,bytes32,uint64)';
  await record('anchor', operator, anchor, issuer, root('1'), 1000);
  await send(operator, anchor, otherIssuer, root('1'), 1000);

  const many = async (...issuers) => {
    const batches = issuers.map((who, i) => `(${who},${root(`${issuers} ${i}`)},1000)`);
    return send(operator, 'anchorMany((address,bytes32,uint64)[])', `[${batches}]`);
  };
  const one = await many(issuer);
  measured['anchorMany, one batch'] = one;
  measured['anchorMany, each further batch of the same issuer'] = Math.round(((await many(...Array(11).fill(issuer))) - one) / 10);
  measured['anchorMany, a further batch of another issuer'] = (await many(issuer, otherIssuer)) - one;

  const message = { issuer, root: root('signed'), size: 1000, deadline: expires };
  const anchorSignature = await sign(issuer, 'Anchor', 'address issuer,bytes32 root,uint64 size,uint64 deadline', message);
  await record('anchorWithSignature', anyone, 'anchorWithSignature(address,bytes32,uint64,uint64,bytes)',
    issuer, root('signed'), 1000, expires, anchorSignature);

  const update = 'updateStatus(address,uint8,uint64,bytes32,bytes)';
  await record('updateStatus, first, 1,000 indices of one list', operator, update, issuer, 0, 1, root('status 1'), delta(1000, 'a'));
  await record('updateStatus, 1,000 indices of one list', operator, update, issuer, 0, 2, root('status 2'), delta(1000, 'b'));
  await record('updateStatus, one index', operator, update, issuer, 0, 3, root('status 3'), delta(1, 'c'));
  await record('updateStatus, 1,000 indices of a million', operator, update, issuer, 0, 4, root('status 5'), delta(1000, 'e', 1_000_000));
  const status = { issuer, purpose: 0, epoch: 5, root: root('status 4'), delta: delta(1, 'd'), deadline: expires };
  const statusSignature = await sign(issuer, 'UpdateStatus',
    'address issuer,uint8 purpose,uint64 epoch,bytes32 root,bytes delta,uint64 deadline', status);
  await record('updateStatusWithSignature, one index', anyone,
    'updateStatusWithSignature(address,uint8,uint64,bytes32,bytes,uint64,bytes)',
    ...Object.values(status), statusSignature);

  await record('withdraw', operator, 'withdraw(address,bytes32,uint8)', issuer, root('1'), 1);
  await record('setController', issuer, 'setController(address,address)', issuer, next);
  await record('acceptController', next, 'acceptController(address)', issuer);

  const proof = inclusion(20);
  await send(operator, anchor, issuer, proof.root, proof.size);
  measured['verifyInclusion, 20 levels, execution'] = await execution(anyone, calldata(
    'verifyInclusion(address,bytes32,bytes32,uint64,uint64,bytes32[])',
    issuer, proof.root, proof.digest, proof.statusIndex, proof.index, `[${proof.path}]`));

  const slots = (await included(issuer, undefined, peer.bytecode.object)).contractAddress;
  const revoke = (seed, count) =>
    transact(issuer, slots, calldata('revoke(bytes32[])', `[${Array.from({ length: count }, (_, i) => root(`${seed} ${i}`))}]`));
  measured['a slot for each revocation: one'] = await revoke('one', 1);
  // Two transactions: EIP-7825 allows none of more than 2^24 gas.
  measured['a slot for each revocation: 1,000'] = (await revoke('first', 500)) + (await revoke('second', 500));
  return measured;
}

// --- The comparison

const measured = await measure();
stop();

const path = join(contracts, 'gas.json');
const committed = JSON.parse(readFileSync(path, 'utf8'));
const update = process.argv.includes('--update');
const problems = [];
const table = {};
for (const name of new Set([...Object.keys(measured), ...Object.keys(committed)])) {
  const [gas, { gas: before, limit } = {}] = [measured[name], committed[name]];
  if (gas > limit) problems.push(`${name}: ${gas} is above the limit of ${limit}`);
  if (!update && !(Math.abs(gas - before) <= before / 100)) problems.push(`${name}: ${gas}, but gas.json says ${before}`);
  if (gas) table[name] = limit ? { gas, limit } : { gas };
}
if (update) writeFileSync(path, JSON.stringify(table, null, 1) + '\n');
for (const problem of problems) console.error(`gas: ${problem}`);
process.exitCode = problems.length ? 1 : 0;
