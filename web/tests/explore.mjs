// Looks at the explorer's pages of a running node. What it needs comes as JSON in the first line of standard input:
// { url, issuer, token, credentials, revoked, screens }. Ends with 0 if all is as it should be.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { launch, open, overflows, shoot, violations } from './browser.mjs';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const given = JSON.parse((await lines.next()).value);
const { url, issuer, token, credentials, revoked, screens } = given;
const browser = await launch();

// A translation fills the same places.
for (const folder of ['explore', 'src/words']) {
  const [en, es] = ['en', 'es'].map((tag) => JSON.parse(readFileSync(new URL(`../${folder}/${tag}.json`, import.meta.url))));
  const places = (entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/g))].sort();
  for (const key of Object.keys(en)) assert.deepEqual(places(es[key]), places(en[key]), `${folder}: ${key}`);
}

/** Opens a view, and hands it over once it is all there. */
async function visit(path, options, look) {
  const { page, faults, close } = await open(browser, url, options);
  await page.goto(url + path);
  await page.locator('main:not([aria-busy])').waitFor();
  await look(page);
  assert.deepEqual(await violations(page), [], `axe on ${path}`);
  assert.equal(await overflows(page), false, `${path} is wider than its window`);
  assert.deepEqual(faults, [], path);
  await close();
}

async function submit(count) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' };
  const answer = await fetch(`${url}/v1/issuers/${issuer}/digests`, { method: 'POST', headers, body: randomBytes(32 * count) });
  assert.equal(answer.status, 200);
}

async function newest() {
  const answer = await fetch(`${url}/v1/issuers/${issuer}/batches?limit=50`);
  return (await answer.json()).batches;
}

/** The number that a page shows under a name. */
const figure = (page, name) => page.locator('.numbers div', { hasText: name }).locator('dd').innerText();

const LOOKS = [
  ['light', {}],
  ['dark', { dark: true }],
  ['phone', { width: 390, height: 844 }],
  ['spanish', { locale: 'es-ES', dark: true, width: 390, height: 844 }],
];

try {
  // --- The overview, and looking things up
  await visit('/explore', {}, async (page) => {
    await page.locator('.happenings .badge').first().waitFor();
    await shoot(page, screens, 'explore-light');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip', 'the first stop leads to the content');
    await page.getByLabel('Issuer account or batch root').fill('Rosa');
    await page.keyboard.press('Enter');
    assert.match(await page.getByRole('alert').innerText(), /40 hex digits/);
    await page.getByLabel('Issuer account or batch root').fill(` ${issuer.toUpperCase().replace('0X', '0x')} `);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${url}/explore/issuers/${issuer}`);
    await page.locator('.plots figure').first().waitFor();
  });
  for (const [name, options] of LOOKS.slice(1)) {
    await visit('/explore', options, (page) => shoot(page, screens, `explore-${name}`));
  }

  // --- An issuer
  const batches = await newest();
  for (const [name, options] of LOOKS) {
    await visit(`/explore/issuers/${issuer}`, options, async (page) => {
      await page.locator('.plots svg').nth(3).waitFor();
      assert.equal(await page.locator('.plot svg').count(), 5);
      assert.equal(await page.locator('html').getAttribute('lang'), name === 'spanish' ? 'es' : 'en');
      await shoot(page, screens, `issuer-${name}`);
    });
  }
  await visit(`/explore/issuers/${issuer}`, {}, async (page) => {
    assert.equal(await figure(page, 'Credentials anchored'), new Intl.NumberFormat('en-GB').format(credentials));
    assert.equal(await figure(page, 'Batches anchored'), String(batches.length));
    assert.match(await figure(page, 'Gas for each'), /^\d/);
    assert.match(await figure(page, 'From sealed to final'), /sec/);
    const sizes = page.getByRole('figure').filter({ hasText: 'Credentials in each batch' });
    await sizes.getByText('As a table').click();
    assert.equal(await sizes.locator('tbody tr').count(), batches.length);
    assert.equal(await sizes.locator('.bar rect.part-0').count(), batches.length);
    await sizes.locator('.bar .hit').first().hover();
    assert.equal(await sizes.locator('.reading').innerText(), `Batch ${batches.at(-1).batch}: ${batches.at(-1).size} credentials`);
    const status = page.getByRole('region', { name: 'Status history' });
    assert.equal(await status.locator('tbody tr').count(), 2);
    assert.match(await status.locator('tr', { hasText: 'Revocation' }).innerText(), new RegExp(`\\b${revoked}\\b`));
    assert.match(await status.locator('tr', { hasText: 'Revocation' }).innerText(), /\d\d,\d{3}/, 'with its gas');
    await page.getByLabel('Language').selectOption('es');
    await page.getByRole('heading', { name: 'El historial de un emisor' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'El historial de un emisor' }).waitFor();
  });

  // --- A batch
  const shared = batches.find((batch) => batch.cost.batches > 1);
  const told = shared ?? batches[0];
  for (const [name, options] of LOOKS) {
    await visit(`/explore/batches/${told.root}`, options, async (page) => {
      await page.locator('.facts').waitFor();
      await shoot(page, screens, `batch-${name}`);
    });
  }
  await visit(`/explore/batches/${told.root}`, {}, async (page) => {
    await page.getByRole('heading', { name: `Batch ${told.batch}` }).waitFor();
    const text = await page.locator('main').innerText();
    for (const part of [told.root, issuer, told.anchor.transaction, `${told.size} credentials`]) assert.ok(text.includes(part), part);
    assert.match(text, /the registry contract holds this root/);
    if (shared) assert.match(text, new RegExp(`used for ${shared.cost.batches} batches`));
    assert.match(text, /[\d,]+ gwei/);
  });
  for (const nothing of [`/explore/batches/0x${'0'.repeat(64)}`, `/explore/issuers/0x${'1'.repeat(40)}`]) {
    const { page, close } = await open(browser, url);
    await page.goto(url + nothing);
    await page.locator('.notice').waitFor();
    assert.deepEqual(await violations(page), []);
    await close();
  }

  // --- What happens now
  await visit(`/explore/issuers/${issuer}`, {}, async (page) => {
    await page.locator('.connection.on').waitFor();
    await submit(321);
    const row = page.locator('.happenings li', { hasText: '321 credentials' }).first();
    await row.waitFor();
    await row.getByText('final', { exact: true }).waitFor({ timeout: 30_000 });
    const after = new Intl.NumberFormat('en-GB').format(credentials + 321);
    await page.locator('.numbers dd', { hasText: after }).waitFor();
    await row.getByRole('link').click();
    await page.getByText('321 credentials').first().waitFor();
    await shoot(page, screens, 'live-batch');
  });

  // --- The node goes away and comes back: whoever starts this restarts it when told to, and answers with a line.
  const { page, close } = await open(browser, url);
  await page.goto(`${url}/explore/issuers/${issuer}`);
  await page.locator('.connection.on').waitFor();
  console.log('restart');
  await page.getByText('reconnecting…').waitFor({ timeout: 30_000 });
  await lines.next();
  // What happens while it is away is in the tables and no happening.
  await page.locator('.connection.on').waitFor({ timeout: 30_000 });
  await submit(77);
  await page.locator('.happenings li', { hasText: '77 credentials' }).waitFor({ timeout: 30_000 });
  await close();
} finally {
  await browser.close();
}
process.exit(0);
