// Looks at the page that verifies, on a static host without any API and on a node. What it needs comes as JSON in the first
// line of standard input: { node, rpc, chain, issuer, registry, credentials, screens }. Ends with 0 if all is as it should be.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { createInterface } from 'node:readline';
import { liar, silent } from '../../client/wasm/tests/line.mjs';
import { launch, open, overflows, shoot, violations } from './browser.mjs';

const world = JSON.parse((await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value);
const dist = new URL('../dist/', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'verify-'));
const file = (name) => `${world.credentials}/${name}`;
const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css', wasm: 'application/wasm', json: 'application/json', svg: 'image/svg+xml' };

/** A host that only has files. */
async function host(config) {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://host').pathname).replace(/\/$/, '/index.html');
    const answer = (status, body) => response.writeHead(status, { 'content-type': TYPES[path.split('.').pop()] ?? 'text/plain' }).end(body);
    if (path === '/verify/config.json') return config ? answer(200, JSON.stringify(config)) : answer(404, 'none');
    if (path.startsWith('/credentials/')) return answer(200, readFileSync(file(path.slice(13))));
    try {
      answer(200, readFileSync(join(dist, path)));
    } catch {
      answer(404, 'none');
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => new Promise((closed) => (server.close(closed), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

const trusting = {
  endpoints: [world.rpc],
  chains: [world.chain],
  issuers: [{ id: 'did:web:university.example', name: 'Example University', accounts: [world.issuer] }],
};

// --- No part of a credential may leave the page: texts of its own, and its digest's blinding.

const secrets = ['botany', 'compilers', 'first-aid', 'expired', 'revoked', 'suspended', 'recipient'].flatMap((name) => {
  const credential = JSON.parse(readFileSync(file(`${name}.json`)));
  const found = [];
  const walk = (value) => (typeof value === 'string' ? found.push(value) : value && typeof value === 'object' && Object.values(value).forEach(walk));
  const { '@context': _, ...own } = credential;
  walk(own);
  // The account and the chain are asked for: they are the issuer's, and public.
  const isPublic = (text) => text.length < 6 || text.includes(world.issuer) || /^(\d{4}-|assertionMethod|merkle-anchor|DataIntegrity)/.test(text);
  return found.filter((text) => !isPublic(text)).concat(Buffer.from(JSON.stringify(own)).toString('base64url').slice(40, 80));
});

function leaks(requests) {
  // What the page itself is made of holds words such as “Certificate”.
  const left = requests.join('\n').toLowerCase();
  return secrets.filter((secret) => left.includes(secret.toLowerCase()) || left.includes(encodeURIComponent(secret).toLowerCase()));
}

const browser = await launch();
const LOOKS = [
  ['light', {}],
  ['dark', { dark: true }],
];

/** Opens the page with a configuration, and hands it over; looks for what must never be. */
async function visit(name, { config = trusting, path = '/verify/', allowed = [], shots = true, ...options }, look) {
  const from = options.from ?? (await host(config));
  const lines = [world.rpc, ...(config?.endpoints ?? []), ...allowed].map((url) => new URL(url).origin);
  const { page, faults, requests, close } = await open(browser, from.url, { ...options, allowed: lines });
  await page.goto(from.url + path);
  await page.locator('main:not([aria-busy])').waitFor();
  await look(page, from.url);
  if (shots) await shoot(page, world.screens, name);
  assert.deepEqual(await violations(page), [], `axe: ${name}`);
  assert.equal(await overflows(page), false, `${name} is wider than its window`);
  assert.deepEqual(faults, [], name);
  assert.deepEqual(leaks(requests), [], `${name}: something of the credential left the page`);
  await close();
  if (!options.from) await from.close();
  return requests;
}

/** Drops files, and waits for the verdict. */
async function drop(page, ...paths) {
  await page.locator('#files').setInputFiles(paths);
  await page.locator('#verdict').waitFor();
}

async function told(page, verdict, why) {
  await page.getByRole('heading', { level: 1, name: verdict, exact: true }).waitFor();
  assert.match(await page.locator('.verdict .why').innerText(), why);
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'verdict', 'the focus is on the verdict');
  assert.match(await page.locator('#live').textContent(), new RegExp(`^${verdict}`));
}

const [lying, altered, wrongChain, off] = await Promise.all([
  liar(world.rpc, { eth_getProof: (proof) => ({ ...proof, storageProof: proof.storageProof.map((slot) => ({ ...slot, value: '0x1' })) }) }),
  liar(world.rpc, { eth_getBlockByNumber: (block) => ({ ...block, hash: `0x${'07'.repeat(32)}` }) }),
  liar(world.rpc, { eth_chainId: () => '0x309' }),
  silent(),
]);
const through = (...endpoints) => ({ ...trusting, endpoints });

try {
  // A translation fills the same places.
  const [en, es] = ['en', 'es'].map((tag) => JSON.parse(readFileSync(new URL(`../verify/${tag}.json`, import.meta.url))));
  const places = (entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/g))].sort();
  assert.deepEqual(Object.keys(en), Object.keys(es));
  for (const key of Object.keys(en)) assert.deepEqual(places(es[key]), places(en[key]), key);

  // --- What can come of a file
  const cases = [
    ['valid', 'botany.json', 'Valid', /every check holds/, {}],
    ['tampered', 'tampered.json', 'Invalid', /changed after it was issued/, {}],
    ['revoked', 'revoked.json', 'Invalid', /The issuer revoked it on/, {}],
    ['suspended', 'suspended.json', 'Invalid', /The issuer suspended it on/, {}],
    ['expired', 'expired.json', 'Invalid', /It expired on/, {}],
    ['unreachable', 'botany.json', 'Unverifiable', /could not be reached/, { config: through('http://127.0.0.1:9', 'http://localhost:9') }],
    ['lying', 'botany.json', 'Unverifiable', /cannot be true/, { config: through(lying.url) }],
    ['lying-about-blocks', 'botany.json', 'Unverifiable', /cannot be true|could not be reached/, { config: through(altered.url) }],
    ['wrong-chain', 'botany.json', 'Unverifiable', /the endpoint serves eip155:777/, { config: through(wrongChain.url) }],
    ['no-endpoint', 'botany.json', 'Unverifiable', /No endpoint is known/, { config: through() }],
    ['no-config', 'botany.json', 'Unverifiable', /do not accept/, { config: null }],
    ['recipient', 'recipient.json', 'Valid', /every check holds/, {}],
  ];
  for (const [name, path, verdict, why, options] of cases) {
    for (const [look, how] of LOOKS) {
      await visit(`verify-${name}-${look}`, { ...options, ...how }, async (page) => {
        await drop(page, file(path));
        await told(page, verdict, why);
      });
    }
  }

  // --- One liar among three is named and passed over
  await visit('verify-one-liar', { config: through(altered.url, world.rpc, world.rpc.replace('127.0.0.1', 'localhost')) }, async (page) => {
    await drop(page, file('botany.json'));
    await told(page, 'Valid', /every check holds/);
    assert.match(await page.locator('.basis').innerText(), new RegExp(`Passed over\\s+${altered.url}`));
    assert.match(await page.locator('.basis').innerText(), /2 of 3 had to agree/);
  });

  // --- The first page, every check opened, settings, several files
  for (const [look, how] of [...LOOKS, ['phone', { width: 390, height: 844 }], ['spanish', { locale: 'es-ES', width: 390, height: 844, dark: true }]]) {
    await visit(`verify-start-${look}`, how, (page) => page.locator('.drop').waitFor());
    await visit(`verify-open-${look}`, how, async (page) => {
      await drop(page, file('botany.json'));
      for (const summary of await page.locator('.check summary').all()) await summary.click();
      const text = await page.locator('main').innerText();
      for (const part of [world.issuer, 'Field Botany', 'Example University', 'collect biological data', world.rpc]) assert.ok(text.includes(part), part);
      assert.equal(await page.locator('html').getAttribute('lang'), look === 'spanish' ? 'es' : 'en');
    });
    await visit(`verify-several-${look}`, how, async (page) => {
      await drop(page, ...['botany.json', 'revoked.json', 'diploma.pdf', 'diploma.pdf.receipt.json', 'expired.json'].map(file));
      const count = look === 'spanish' ? /^2 válidas, 2 no válidas, 0 no verificables$/ : /^2 valid, 2 invalid, 0 unverifiable$/;
      assert.match(await page.locator('#verdict').innerText(), count);
      await page.getByRole('button', { name: /botany\.json/ }).click();
      await page.locator('.verdict').waitFor();
    });
    await visit(`verify-settings-${look}`, how, async (page) => {
      await page.locator('#settings summary').click();
      await page.locator('#settings form').waitFor();
    });
  }

  // --- A file with its receipt; without it; not a credential; too large
  await visit('verify-pdf', {}, async (page) => {
    await drop(page, file('diploma.pdf'), file('diploma.pdf.receipt.json'));
    await told(page, 'Valid', /every check holds/);
  });
  await visit('verify-pdf-alone', {}, async (page) => {
    await drop(page, file('diploma.pdf'));
    await told(page, 'Unverifiable', /carries no proof/);
    assert.match(await page.locator('.help').innerText(), /receipt/);
  });
  await visit('verify-receipt-alone', { shots: false }, async (page) => {
    await drop(page, file('diploma.pdf.receipt.json'));
    assert.match(await page.locator('.notice').innerText(), /belongs to another file/);
  });
  writeFileSync(`${scratch}/broken.json`, '{"a":1,"a":2}');
  await visit('verify-no-credential', {}, async (page) => {
    await drop(page, `${scratch}/broken.json`);
    await told(page, 'Invalid', /same key twice/);
  });
  const image = `${scratch}/image.png`;
  writeFileSync(image, Buffer.from('89504e470d0a1a0a', 'hex'));
  truncateSync(image, 50 << 20);
  await visit('verify-large-image', { shots: false }, async (page) => {
    await drop(page, image);
    await page.getByRole('heading', { level: 1, name: /Unverifiable|Invalid/ }).waitFor();
  });
  truncateSync(image, 65 << 20);
  await visit('verify-too-large', {}, async (page) => {
    await drop(page, image);
    assert.match(await page.locator('.notice').innerText(), /65 MB; at most 64/);
  });

  // --- Links: copied, opened at once, spoilt
  let link;
  const requests = await visit('verify-link', { shots: false }, async (page, url) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
    await drop(page, file('botany.json'));
    await page.getByRole('button', { name: 'Copy link' }).click();
    await page.locator('.said', { hasText: 'Copied' }).waitFor();
    link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
    assert.match(link.hash, /^#c1\./);
  });
  assert.ok(requests.every((request) => !request.includes(link.hash.slice(4, 60))));
  await visit('verify-from-link', { path: `/verify/${link.hash}` }, (page) => told(page, 'Valid', /every check holds/));
  await visit('verify-spoilt-link', { path: `/verify/${link.hash.slice(0, -20)}` }, async (page) => {
    await page.getByRole('alert').getByText('cut off').waitFor();
  });
  await visit('verify-pasted', { shots: false }, async (page) => {
    await page.getByLabel('Or paste').fill('https://elsewhere.example/credentials/1');
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByRole('alert').getByText('carries no credential').waitFor();
    await page.getByLabel('Or paste').fill(readFileSync(file('botany.json'), 'utf8'));
    await page.getByRole('button', { name: 'Verify' }).click();
    await told(page, 'Valid', /every check holds/);
  });

  // --- Who it is: nobody says so, until the visitor does
  await visit('verify-stranger', { config: { ...trusting, issuers: [] } }, async (page) => {
    await drop(page, file('botany.json'));
    await told(page, 'Unverifiable', /could not be told/);
    assert.equal(await page.locator('.card .proven').count(), 0);
    await shoot(page, world.screens, 'verify-unknown-issuer');
    await page.getByRole('button', { name: 'Recognise this account' }).click();
    await told(page, 'Valid', /every check holds/);
    assert.match(await page.locator('#s-issuers').inputValue(), new RegExp(`^did:web:university.example ${world.issuer}`));
  });

  // --- Settings: wrong ones are told, right ones count, and are kept only if the visitor says so
  await visit('verify-settings-changed', { config: null, shots: false }, async (page) => {
    await page.locator('#settings summary').click();
    await page.getByLabel(/^Endpoints/).fill('nowhere');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Line 1: not an http or https URL').waitFor();
    await page.getByLabel(/^Endpoints/).fill(world.rpc);
    await page.getByLabel(/^Accepted chains/).fill(world.chain);
    await page.getByLabel(/^Recognised issuers/).fill(`did:web:university.example ${world.issuer} Example University`);
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Applied.').waitFor();
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await drop(page, file('botany.json'));
    await told(page, 'Valid', /every check holds/);
    await page.locator('#settings').evaluate((panel) => (panel.open = true));
    await page.getByLabel('Remember on this device').check();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.locator('main:not([aria-busy])').waitFor();
    await page.reload();
    await drop(page, file('botany.json'));
    await told(page, 'Valid', /every check holds/);
  });

  // --- Evidence that was saved, later, without any endpoint
  const kept = `${scratch}/botany.json`;
  let block;
  await visit('verify-save-evidence', { shots: false }, async (page) => {
    await drop(page, file('botany.json'));
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save evidence' }).click()]);
    assert.equal(saved.suggestedFilename(), 'botany.json.evidence');
    await saved.saveAs(`${kept}.evidence`);
    writeFileSync(kept, readFileSync(file('botany.json')));
    const text = await page.locator('.basis dt', { hasText: 'Settled block' }).locator('+ dd').innerText();
    block = [/^[\d,]+/.exec(text)[0].replaceAll(',', ''), /0x[0-9a-f]{64}/.exec(text)[0]];
  });
  const offline = { ...trusting, endpoints: [], checkpoints: [`${world.chain} ${block.join(' ')}`] };
  await visit('verify-evidence', { config: offline }, async (page) => {
    await drop(page, kept, `${kept}.evidence`);
    await told(page, 'Valid', /every check holds/);
    assert.match(await page.locator('.basis').innerText(), /proven before/);
  });

  // --- The recipient's address is compared here
  await visit('verify-recipient-compared', { shots: false }, async (page) => {
    await drop(page, file('recipient.json'));
    for (const [address, answer] of [['ada@example.org', 'another address'], ['Rosa@example.org', "is the recipient's"]]) {
      await page.locator('#recipient').fill(address);
      await page.keyboard.press('Enter');
      await page.locator('.compare', { hasText: answer }).waitFor();
    }
    assert.equal(await page.locator('img[src^="http"]').count(), 0);
  });

  // --- Other people's credentials: JSON-LD is loaded when it is met, and a key is no name
  const corpus = new URL('../../../shared/corpora/', import.meta.url).pathname;
  if (existsSync(corpus)) {
    const path = 'dcc/credentials/bothSignatureTypes/didKey/legacy-noStatus-noExpiry-basicOBv3.json';
    await visit('verify-only-a-key', {}, async (page) => {
      await drop(page, corpus + path);
      await told(page, 'Valid', /Whose key that is, nobody whom you trust says/);
      assert.match(await page.locator('.card .issuer').innerText(), /did:key:z6Mk\w+\s+A key, not a name/);
    });
    await visit('verify-baked', {}, async (page) => {
      await drop(page, `${corpus}open-badges-3/simple-json.png`);
      await told(page, 'Unverifiable', /whether the key is/);
      assert.match(await page.locator('.picture').getAttribute('src'), /^blob:/);
      await page.getByRole('button', { name: 'Ask example.com' }).waitFor();
    });
  } else console.log("SKIPPED other people's credentials in the page: the corpora are not beside this checkout");

  // --- By keyboard alone
  await visit('verify-keyboard', { shots: false }, async (page) => {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    for (let stop = 0; stop < 20 && (await page.evaluate(() => document.activeElement.id)) !== 'paste'; stop += 1) await page.keyboard.press('Tab');
    await page.keyboard.insertText(readFileSync(file('botany.json'), 'utf8'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await told(page, 'Valid', /every check holds/);
    for (let stop = 0; stop < 30 && (await page.evaluate(() => document.activeElement.parentElement.className)) !== 'check'; stop += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    assert.equal(await page.locator('.check[open]').count(), 1);
  });

  // --- Another language and the dark, without losing what is shown
  await visit('verify-switched', { shots: false }, async (page) => {
    await drop(page, file('revoked.json'));
    await page.getByLabel('Language').selectOption('es');
    await page.getByRole('heading', { level: 1, name: 'No válida' }).waitFor();
    assert.match(await page.locator('.verdict .why').innerText(), /El emisor la revocó/);
    await page.getByRole('button', { name: 'Oscuro' }).click();
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
  });

  // --- On paper
  for (const [name, paths] of [['valid', ['botany.json']], ['revoked', ['revoked.json']]]) {
    await visit(`verify-paper-${name}`, { width: 794, height: 1123, shots: false }, async (page) => {
      await drop(page, ...paths.map(file));
      await page.locator('.basis code', { hasText: /^[0-9a-f]{64}$/ }).waitFor();
      const paper = await page.pdf({ preferCSSPageSize: true, printBackground: true });
      assert.equal(paper.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g).length, 1, 'one page');
      await page.emulateMedia({ media: 'print' });
      await shoot(page, world.screens, `verify-paper-${name}`);
      await page.emulateMedia({ media: null });
    });
  }

  // --- In other people's pages
  for (const [look, how] of LOOKS) {
    await visit(`verify-embedded-${look}`, { path: '/embed/', ...how }, async (page, url) => {
      await page.locator('#file').setInputFiles(file('botany.json'));
      await page.locator('testamur-verify').getByText('Field Botany · Example University').waitFor();
      assert.ok((await page.locator('testamur-verify a').getAttribute('href')).startsWith(`${url}/verify/#c1.`));
      await page.evaluate(() => {
        const element = document.createElement('testamur-verify');
        element.setAttribute('src', '/credentials/revoked.json');
        element.setAttribute('lang', 'es');
        document.querySelector('main').append(element);
      });
      await page.locator('testamur-verify').getByText('El emisor la revocó').waitFor();
    });
  }

  // --- A node serves it as well
  await visit('verify-node', { from: { url: world.node }, config: {} }, async (page) => {
    await page.getByRole('link', { name: 'Explore' }).waitFor();
    await drop(page, file('revoked.json'));
    await page.getByRole('heading', { level: 1, name: 'Invalid' }).waitFor();
    assert.match(await page.locator('.verdict .why').innerText(), /The issuer revoked it on/);
  });
  await visit('verify-node-phone', { from: { url: world.node }, config: {}, width: 390, height: 844 }, (page) => page.locator('.drop').waitFor());
  const answer = await fetch(`${world.node}/verify#c1.x`, { redirect: 'manual' });
  assert.equal(answer.headers.get('location'), '/verify/');
  assert.match((await fetch(`${world.node}/verify/`)).headers.get('content-security-policy'), /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';/);
} finally {
  await browser.close();
  for (const line of [lying, altered, wrongChain, off]) await line.close();
}
process.exit(0);
