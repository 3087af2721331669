// The packed and installed package in Chromium, unbundled, under a strict content security policy. Run by tests/tests/wasm.rs.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

import { chromium } from 'playwright-core';

const world = JSON.parse(readFileSync(process.env.TESTAMUR_WORLD, 'utf8'));
const types = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };
const csp = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${world.rpc}`;

/** The package's folder, as any static host serves it, with a page that only imports it. */
async function host() {
  const folder = dirname(world.package);
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://host').pathname);
    const body = path === '/' ? '<!doctype html><title>verify</title>' : readFileSync(join(folder, path));
    const type = types[path === '/' ? 'html' : path.split('.').pop()] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': csp }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

test('in Chromium under a strict policy', async (context) => {
  const executablePath = process.env.TESTAMUR_CHROMIUM ?? '/usr/bin/chromium';
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
  const browser = await chromium.launch({ executablePath, args }).catch(() => null);
  if (!browser) {
    console.log(`SKIPPED the package in a browser: no Chromium at ${executablePath}`);
    return context.skip('no Chromium');
  }
  const pages = await host();
  try {
    const page = await browser.newPage();
    const asked = new Set();
    page.on('request', (request) => asked.add(new URL(request.url()).origin));
    await page.goto(pages.url);
    const judge = (file, options = {}) =>
      page.evaluate(async ([bytes, options]) => {
        const { verify } = await import('/index.js');
        const result = await verify(Uint8Array.from(bytes), options);
        return { ...result, evidence: result.evidence?.length ?? 0 };
      }, [[...readFileSync(file)], {
        endpoints: [world.rpc],
        policy: { chains: [world.chain], issuers: [{ id: 'did:web:university.example', accounts: [world.issuer] }] },
        ...options,
      }]);
    const valid = await judge(world.files.valid);
    assert.equal(valid.verdict, 'valid', JSON.stringify(valid, null, 1));
    assert.equal(valid.basis.mode, 'proof');
    assert.ok(valid.evidence > 0);
    assert.equal((await judge(world.files.tampered)).verdict, 'invalid');
    const revoked = await judge(world.files.revoked);
    assert.equal(revoked.verdict, 'invalid', JSON.stringify(revoked, null, 1));
    // The content security policy forbids to ask this one: it is as if it were down.
    const forbidden = await judge(world.files.valid, { endpoints: ['http://127.0.0.1:9'] });
    assert.equal(forbidden.verdict, 'unverifiable');
    assert.deepEqual([...asked].sort(), [pages.url, new URL(world.rpc).origin].sort());
  } finally {
    pages.close();
    await browser.close();
  }
});
