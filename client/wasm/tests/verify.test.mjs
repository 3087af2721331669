// The packed and installed package, in Node, against a real chain. Run by tests/tests/wasm.rs, which says in TESTAMUR_WORLD
// what there is: { package, rpc, chain, issuer, files: { valid, tampered, revoked, pdf } }.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';

import { liar, silent } from './line.mjs';

const world = JSON.parse(readFileSync(process.env.TESTAMUR_WORLD, 'utf8'));
const { defaultPolicy, fromLink, open, toFragment, verify } = await import(pathToFileURL(world.package).href);

const read = (file) => new Uint8Array(readFileSync(file));
const valid = read(world.files.valid);
const policy = {
  chains: [world.chain],
  issuers: [{ id: 'did:web:university.example', name: 'Example University', accounts: [world.issuer] }],
};
const judge = (file, options = {}) => verify(file, { endpoints: [world.rpc], policy, ...options });
const outcome = (result, check) => result.checks.find((told) => told.check === check);

test('a credential is valid, and says what that rests on', async () => {
  const result = await judge(valid);
  assert.equal(result.verdict, 'valid', JSON.stringify(result, null, 1));
  assert.equal(result.decisive, null);
  assert.equal(result.basis.mode, 'proof');
  assert.deepEqual(result.basis.readFrom, [new URL(world.rpc).origin]);
  assert.deepEqual([result.basis.needed, result.basis.given], [1, 1]);
  assert.ok(result.basis.head.number >= result.basis.settled.number);
  assert.equal(result.opened.credential.name, 'Field Botany');
  assert.equal(result.opened.receipt.chain, world.chain);
  assert.match(result.opened.digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(
    result.status.map(({ purpose, set, setAtSettled }) => [purpose, set, setAtSettled]),
    [['revocation', false, false], ['suspension', false, false]],
  );
  assert.ok(result.status[0].epoch > 0 && result.status[0].source === 'rebuilt from the chain');
  const methods = new Set(result.asked.map(({ method }) => method));
  assert.deepEqual([...methods].sort(), ['eth_chainId', 'eth_getBlockByNumber', 'eth_getLogs', 'eth_getProof']);
});

test('what was changed is invalid', async () => {
  const result = await judge(read(world.files.tampered));
  assert.equal(result.verdict, 'invalid');
  assert.equal(result.decisive.check, 'integrity');
  assert.equal(result.decisive.detail.kind, 'changed');
});

test('what was revoked is invalid', async () => {
  const result = await judge(read(world.files.revoked));
  assert.equal(result.verdict, 'invalid', JSON.stringify(result, null, 1));
  assert.equal(result.decisive.detail.kind, 'statusSet');
  assert.equal(result.status[0].set, true);
});

test('a file with a receipt beside it', async () => {
  const receipt = read(`${world.files.pdf}.receipt.json`);
  const opened = await open(read(world.files.pdf), { receipt, name: 'diploma.pdf' });
  assert.equal(opened.format, 'file');
  assert.equal(opened.credential, null);
  const result = await judge(read(world.files.pdf), { receipt });
  assert.equal(result.verdict, 'valid', JSON.stringify(result, null, 1));
});

test('what cannot be seen is unverifiable', async () => {
  const off = await silent();
  for (const [options, fault] of [
    [{ endpoints: [] }, 'noEndpoint'],
    [{ endpoints: [off.url], timeout: 200 }, 'unreachable'],
    [{ endpoints: ['http://127.0.0.1:9'] }, 'unreachable'],
    [{ endpoints: [world.rpc], quorum: 2 }, 'unreachable'],
  ]) {
    const result = await judge(valid, options);
    assert.equal(result.verdict, 'unverifiable', JSON.stringify(result, null, 1));
    assert.equal(outcome(result, 'anchor').outcome, 'unknown');
    assert.equal(outcome(result, 'anchor').detail.fault, fault, JSON.stringify(result, null, 1));
    assert.equal(outcome(result, 'integrity').outcome, 'pass');
  }
  await off.close();
});

test('a chain that the policy does not name makes nobody ask anything', async () => {
  const result = await judge(valid, { policy: {} });
  assert.equal(result.verdict, 'unverifiable');
  assert.equal(result.decisive.detail.kind, 'chainNotAccepted');
  assert.deepEqual(result.asked, []);
});

// What lies, and how: each lie is told by one endpoint.
const word = (number) => `0x${number.toString(16).padStart(64, '0')}`;
const lies = {
  'a wrong value with the right-looking proof': {
    eth_getProof: (proof) => ({ ...proof, storageProof: proof.storageProof.map((slot) => ({ ...slot, value: '0x1' })) }),
  },
  'a proof that lacks a node': {
    eth_getProof: (proof) => ({ ...proof, accountProof: proof.accountProof.slice(1) }),
  },
  'a proof with one node more': {
    eth_getProof: (proof) => ({ ...proof, accountProof: [...proof.accountProof, '0xc0'] }),
  },
  'another block hash': {
    eth_getBlockByNumber: (block) => ({ ...block, hash: word(7) }),
  },
  'a header that does not hash': {
    eth_getBlockByNumber: (block) => ({ ...block, stateRoot: word(7) }),
  },
};

for (const [lie, alter] of Object.entries(lies)) {
  test(`one liar among three is named and passed over: ${lie}`, async () => {
    const wrong = await liar(world.rpc, alter);
    const [a, b] = [await liar(world.rpc, {}), await liar(world.rpc, {})];
    const result = await judge(valid, { endpoints: [wrong.url, a.url, b.url] });
    assert.equal(result.verdict, 'valid', JSON.stringify(result, null, 1));
    assert.equal(result.basis.mode, 'proof');
    assert.equal(result.basis.needed, 2);
    const told = result.basis.passedOver.map(({ endpoint }) => endpoint);
    if (lie !== 'a header that does not hash') assert.deepEqual(told, [new URL(wrong.url).origin]);
    for (const line of [wrong, a, b]) await line.close();
  });

  test(`alone, a liar gives no verdict: ${lie}`, async () => {
    const wrong = await liar(world.rpc, alter);
    const result = await judge(valid, { endpoints: [wrong.url], reading: 'proof' });
    assert.equal(result.verdict, 'unverifiable', JSON.stringify(result, null, 1));
    assert.ok(result.detail.length > 0);
    await wrong.close();
  });
}

test('who hides a revocation is believed by nobody', async () => {
  const { eth_getProof } = lies['a wrong value with the right-looking proof'];
  const wrong = await liar(world.rpc, { eth_getProof });
  const result = await judge(read(world.files.revoked), { endpoints: [wrong.url] });
  assert.equal(result.verdict, 'unverifiable', JSON.stringify(result, null, 1));
  await wrong.close();
});

test('logs that are held back leave the status unknown, and nothing else', async () => {
  const wrong = await liar(world.rpc, { eth_getLogs: () => [] });
  const result = await judge(read(world.files.revoked), { endpoints: [wrong.url] });
  assert.equal(result.verdict, 'unverifiable');
  assert.equal(result.decisive.check, 'status');
  assert.equal(outcome(result, 'anchor').outcome, 'pass');
  assert.equal(result.status[0].set, null);
  assert.match(result.status[0].source, /^unknown: /);
  const other = await liar(world.rpc, {});
  const both = await judge(read(world.files.revoked), { endpoints: [wrong.url, other.url] });
  assert.equal(both.verdict, 'invalid', JSON.stringify(both, null, 1));
  for (const line of [wrong, other]) await line.close();
});

test('without proofs the answers must agree', async () => {
  const no = { eth_getProof: new Error('the method does not exist') };
  const [a, b] = [await liar(world.rpc, no), await liar(world.rpc, no)];
  const result = await judge(valid, { endpoints: [a.url, b.url] });
  assert.equal(result.verdict, 'valid', JSON.stringify(result, null, 1));
  assert.equal(result.basis.mode, 'agreement');
  const strict = await judge(valid, { endpoints: [a.url, b.url], reading: 'proof' });
  assert.equal(strict.verdict, 'unverifiable');
  const wrong = await liar(world.rpc, { ...no, eth_getStorageAt: () => word(0) });
  const disputed = await judge(valid, { endpoints: [a.url, wrong.url] });
  assert.equal(disputed.verdict, 'unverifiable', JSON.stringify(disputed, null, 1));
  for (const line of [a, b, wrong]) await line.close();
});

test('another chain than the receipt names', async () => {
  const other = await liar(world.rpc, { eth_chainId: () => '0x309' });
  const result = await judge(valid, { endpoints: [other.url] });
  assert.equal(result.verdict, 'unverifiable');
  assert.deepEqual(outcome(result, 'anchor').detail.served, 'eip155:777');
  await other.close();
});

test('an endless answer is cut off', async () => {
  const wrong = await liar(world.rpc, { eth_getProof: () => 'x'.repeat(5 << 20) });
  const result = await judge(valid, { endpoints: [wrong.url], reading: 'proof' });
  assert.equal(result.verdict, 'unverifiable');
  assert.match(JSON.stringify(result.asked), /more than 4194304 bytes/);
  await wrong.close();
});

test('evidence proves it later, without the network', async () => {
  const { evidence, basis } = await judge(valid);
  const { number, hash } = basis.settled;
  const checkpoints = `${world.chain} ${number} ${hash}\n`;
  const later = await judge(valid, { endpoints: [], evidence, checkpoints });
  assert.equal(later.verdict, 'valid', JSON.stringify(later, null, 1));
  assert.equal(later.basis.mode, 'evidence');
  assert.deepEqual(later.asked, []);
  const untrusted = await judge(valid, { endpoints: [], evidence });
  assert.equal(untrusted.verdict, 'unverifiable');
  assert.ok(untrusted.detail.includes(hash), untrusted.detail);
  const broken = Uint8Array.from(evidence);
  broken[evidence.length >> 1] ^= 1;
  const refused = await judge(valid, { endpoints: [], evidence: broken, checkpoints });
  assert.equal(refused.verdict, 'unverifiable');
  const revoked = await judge(read(world.files.revoked));
  const told = { number: revoked.basis.settled.number, hash: revoked.basis.settled.hash };
  const known = { evidence: revoked.evidence, checkpoints: `${world.chain} ${told.number} ${told.hash}` };
  assert.equal((await judge(read(world.files.revoked), { endpoints: [], ...known })).verdict, 'invalid');
  // It speaks of the batch, so of this credential's anchor, but not of its status.
  assert.equal((await judge(valid, { endpoints: [], ...known })).verdict, 'unverifiable');
});

test('documents are asked for only where the caller allows it', async () => {
  const strangers = { chains: [world.chain] };
  const none = await judge(valid, { policy: strangers });
  assert.equal(none.verdict, 'unverifiable');
  assert.equal(none.decisive.check, 'issuer');
  assert.ok(none.asked.every(({ kind }) => kind === 'rpc'));
  const did = 'did:web:university.example';
  const account = `${world.chain}:${world.issuer}`;
  const method = { id: `${did}#1`, type: 'EcdsaSecp256k1RecoveryMethod2020', controller: did, blockchainAccountId: account };
  const document = { id: did, verificationMethod: [method], assertionMethod: [method.id] };
  const asked = [];
  const documents = async (url) => {
    asked.push(url);
    if (url.startsWith('dns:')) throw new Error('no DNS here');
    return new TextEncoder().encode(JSON.stringify(document));
  };
  const tied = await judge(valid, { policy: strangers, documents });
  assert.equal(tied.verdict, 'valid', JSON.stringify(tied, null, 1));
  assert.ok(asked.includes('https://university.example/.well-known/did.json'));
  document.verificationMethod[0].blockchainAccountId = `${world.chain}:0x${'11'.repeat(20)}`;
  const contradicted = await judge(valid, { policy: strangers, documents });
  assert.equal(contradicted.verdict, 'invalid', JSON.stringify(contradicted, null, 1));
  const down = await judge(valid, { policy: strangers, documents: () => Promise.reject(new Error('down')) });
  assert.equal(down.verdict, 'unverifiable', JSON.stringify(down, null, 1));
});

const corpus = new URL('../../../../shared/corpora/data-integrity/', import.meta.url);
const signed = {
  'eddsa-jcs-2022': 'eddsa-jcs-2022/signedJCS.json',
  'eddsa-rdfc-2022': 'eddsa-rdfc-2022/signedDataInt.json',
};
for (const [suite, file] of Object.entries(signed)) {
  test(`another's signature: ${suite}`, async (context) => {
    if (!existsSync(new URL(file, corpus))) {
      console.log('SKIPPED signatures in the package: the corpus data-integrity is not beside this checkout');
      return context.skip('no corpus');
    }
    const bytes = read(new URL(file, corpus));
    const result = await judge(bytes, { endpoints: [] });
    assert.equal(outcome(result, 'integrity').outcome, 'not applicable');
    assert.notEqual(outcome(result, 'signature').outcome, 'fail', JSON.stringify(result, null, 1));
    assert.ok(!/canonical form|context/.test(outcome(result, 'signature').message), JSON.stringify(result, null, 1));
    const changed = new TextEncoder().encode(new TextDecoder().decode(bytes).replace('did:key', 'did:kez').replace('Alumni', 'Alumnus'));
    assert.notEqual((await judge(changed, { endpoints: [] })).verdict, 'valid');
    const without = await judge(bytes, { endpoints: [], canonical: false });
    if (suite.includes('rdfc')) assert.equal(outcome(without, 'signature').outcome, 'unknown');
  });
}

test('who calls can end it', async () => {
  const off = await silent();
  const verifying = judge(valid, { endpoints: [off.url], signal: AbortSignal.timeout(100) });
  await assert.rejects(verifying, { name: 'TimeoutError' });
  await assert.rejects(judge(valid, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await off.close();
});

test('wrong options are the caller\'s fault', async () => {
  for (const wrong of [{ endpoints: ['nowhere'] }, { endpoints: ['ftp://x'] }, { policy: { finalty: 'safe' } }, { reading: 'x' }]) {
    await assert.rejects(judge(valid, wrong), TypeError);
  }
});

test('what is no credential is told', async () => {
  const spoilt = await judge(new TextEncoder().encode('{"a":1,"a":2}'), { name: 'a.json' });
  assert.equal(spoilt.verdict, 'invalid');
  assert.equal(spoilt.opened, null);
  const deep = await judge(new TextEncoder().encode('{"a":'.repeat(10_000)), { name: 'a.json' });
  assert.equal(deep.verdict, 'invalid');
  const plain = await judge(new TextEncoder().encode('%PDF-1.7'), { name: 'a.pdf' });
  assert.equal(plain.verdict, 'unverifiable');
});

test('a credential travels in a link', async () => {
  const fragment = await toFragment(valid);
  assert.deepEqual(await fromLink(`https://any.example/verify#${fragment}`), valid);
  await assert.rejects(fromLink('https://any.example/verify'));
});

test('the policy that holds where nothing is said', async () => {
  const policy = await defaultPolicy();
  assert.ok(policy.chains.includes('eip155:1') && policy.finality === 'finalized');
});
