// Walks through the studio as an institution's staff do, against a real server, node and chain. What it needs comes as
// JSON in the first line of standard input: { url, password, account, screens }. Ends with 0 if all is as it should be.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { launch, open, overflows, shoot, violations } from './browser.mjs';

const { url, password, account, screens } = JSON.parse((await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value);
const HOSTILE = `<img src=x onerror="document.title='taken over'">`;
const TITLE = 'Open Water Lifesaving';
const NAME = 'open-water-lifesaving';
const PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><circle cx="50" cy="50" r="47" fill="#0b5f73"/><circle cx="50" cy="50" r="25" fill="none" stroke="#fff" stroke-width="13" stroke-dasharray="19.6 19.7"/></svg>';
const GOOD = 24;
const LOOKS = [
  ['light', {}],
  ['dark', { dark: true }],
  ['phone', { width: 390, height: 844 }],
  ['spanish', { locale: 'es-ES', dark: true, width: 390, height: 844 }],
];

const browser = await launch();

/** Somebody at a browser, signed in; all that must not happen is looked for when they leave. */
async function somebody(name, options, work) {
  const { page, faults, requests, close } = await open(browser, url, { ...options, allowed: [url] });
  await page.goto(`${url}/studio/`);
  if (name !== null) await signIn(page, name);
  await work({ page, requests, see: (label) => see(page, label) }).catch(async (error) => {
    await shoot(page, screens, 'studio-failed');
    throw error;
  });
  await see(page, name ?? 'nobody');
  assert.deepEqual(faults, [], `${name}: ${JSON.stringify(options)}`);
  await close();
}

async function signIn(page, name, secret = password) {
  await page.locator('input[name=name]').fill(name);
  await page.locator('input[name=password]').fill(secret);
  await page.keyboard.press('Enter');
  if (secret === password) await page.locator('.who').waitFor();
}

async function ready(page) {
  await page.locator('main:not([aria-busy])').waitFor();
}

async function visit(page, link) {
  await page.goto(`${url}/studio/${link}`);
  await ready(page);
}

/** What holds for every view. */
async function see(page, label) {
  await ready(page);
  assert.deepEqual(await violations(page), [], `axe: ${label}`);
  assert.equal(await overflows(page), false, `${label} is wider than its window`);
  assert.equal(await page.locator('img[src=x]').count(), 0, `${label}: text became markup`);
  assert.doesNotMatch(await page.title(), /taken over/, `${label}: text was run`);
}

const main = (page) => page.locator('main');
const button = (page, name) => page.getByRole('button', { name, exact: true });
const told = (page, text) => page.locator('.toast', { hasText: text }).waitFor();

/** A field by its label, and what is wrong with it. */
async function blamed(page, label, what) {
  const field = page.locator('.field', { has: page.getByLabel(label, { exact: true }) }).last();
  await field.locator('.error', { hasText: what }).waitFor();
  assert.ok(await field.locator('[aria-invalid]').count(), `${label} is marked`);
}

async function figure(page, name) {
  return main(page)
    .locator('.numbers div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) })
    .locator('dd')
    .innerText();
}

function roster() {
  const people = Array.from({ length: GOOD - 2 }, (_, k) => `S${100 + k},Learner Number ${k},learner${k}@example.org,2026-06-30`);
  return [
    'Legajo,Full name,E-mail,Awarded',
    'S1,Ada Lovelace,ada@example.org,2026-06-30',
    `S2,"${HOSTILE.replaceAll('"', '""')}",mallory@example.org,2026-06-30`,
    ...people,
    'S3,Nobody Reachable,no address at all,2026-06-30',
    'S1,Ada Lovelace,ada@example.org,2026-06-30',
    'S4,Grace Hopper,grace@example.org,31/02/2026',
  ].join('\r\n');
}

/** Where the credential of somebody is: found as a registrar finds it. */
async function find(page, text) {
  await visit(page, '#/credentials');
  await page.getByLabel('Search', { exact: true }).fill(text);
  await page.getByText('1 credential', { exact: true }).waitFor();
  await main(page).locator('tbody a').click();
  await page.getByRole('heading', { level: 2, name: TITLE }).waitFor();
}

try {
  // A translation has the same keys, and fills the same places.
  const [en, es] = ['en', 'es'].map((tag) => JSON.parse(readFileSync(new URL(`../studio/${tag}.json`, import.meta.url))));
  const places = (entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/g))].sort();
  assert.deepEqual(Object.keys(en), Object.keys(es));
  for (const key of Object.keys(en)) assert.deepEqual(places(es[key]), places(en[key]), key);

  // --- The first sign-in
  await somebody(null, {}, async ({ page, see }) => {
    await shoot(page, screens, 'studio-sign-in-light');
    await signIn(page, 'ana', 'not her password at all');
    await page.getByRole('alert').getByText('nobody with this name and password').waitFor();
    assert.equal(await page.locator('input[name=password]').inputValue(), '');
    await see('a wrong password');
    await signIn(page, 'ana');
    await page.getByRole('heading', { name: 'First steps' }).waitFor();
    assert.match(await main(page).innerText(), new RegExp(`did:web:university.example[^]*${account}`, 'i'));
    assert.match(await main(page).locator('.facts').innerText(), /ready/);
    await shoot(page, screens, 'studio-first-light');
    // The first stop leads to the content, and the view stays.
    await visit(page, '#/templates');
    await page.reload();
    await ready(page);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.hash === '#/templates' && document.activeElement.id === 'content');
    await see('templates');
    await button(page, 'Sign out').click();
    await page.locator('input[name=name]').waitFor();
  });

  // --- A template, made in the form
  await somebody('ben', {}, async ({ page, requests, see }) => {
    await visit(page, '#/templates');
    await page.getByRole('link', { name: 'New template' }).click();
    await page.getByRole('heading', { level: 1, name: 'New template' }).waitFor();
    assert.equal(await main(page).locator('[aria-invalid]').count(), 0, 'nobody is blamed before they begin');
    await page.getByLabel('Name', { exact: true }).fill(TITLE);
    assert.equal(await page.getByLabel('Short name').inputValue(), NAME);
    await page.getByLabel('Description', { exact: true }).fill(`Rescues swimmers in open water. ${HOSTILE}`);
    await button(page, 'Add a skill').click();
    await page.getByLabel('Name of the skill').fill('rescue swimmers');
    await page.getByLabel('Address in its framework').fill('ESCO, somewhere');
    await page
      .getByLabel('Picture', { exact: true })
      .or(page.locator('.pick input'))
      .setInputFiles({ name: 'large.png', mimeType: 'image/png', buffer: Buffer.alloc(2 << 20) });
    await page.getByText('This has 2 MB').waitFor();
    await page.getByLabel('Credits').fill('one and a half');
    await page.getByLabel('Field of study').focus();
    await blamed(page, 'Address in its framework', 'no web address');
    await blamed(page, 'Credits', 'no number');
    await shoot(page, screens, 'studio-template-faults-light');
    await see('a template with faults');

    await page.getByLabel('Address in its framework').fill('http://data.europa.eu/esco/skill/9d2e926f-53d9-41f5-98f3-19dfaa687f3f');
    await page.getByLabel('Framework', { exact: true }).fill('ESCO');
    await page.getByLabel('Credits').fill('1,5');
    await page.locator('.pick input').setInputFiles({ name: 'ring.svg', mimeType: 'image/svg+xml', buffer: Buffer.from(PICTURE) });
    await page.getByLabel('What it shows').fill('A lifebelt');
    await page.getByLabel('Tags').fill('water, rescue');
    await page.getByLabel('Kind', { exact: true }).selectOption('Certificate');
    await page.getByLabel('Valid', { exact: true }).selectOption('years');
    await page.getByLabel('Whose it is').selectOption('email,name');
    await page.getByLabel('Short name').fill('example');
    await button(page, 'Save').click();
    await blamed(page, 'Short name', 'already');
    await page.getByLabel('Short name').fill(NAME);
    await button(page, 'Save').click();
    await told(page, 'Saved with one fault');
    await page.getByRole('heading', { level: 1, name: `Template ${NAME}` }).waitFor();
    await blamed(page, 'Criteria', 'This is needed');
    await page.getByLabel('Criteria', { exact: true }).fill('Swims 400 m in open water.\nTows a "casualty" for 100 m.');
    const preview = page.getByRole('complementary');
    await preview.getByRole('heading', { name: TITLE }).waitFor();
    await preview.getByText('rescue swimmers').waitFor();
    await preview.getByText('Swims 400 m').waitFor();
    assert.ok((await preview.innerText()).includes(HOSTILE), 'hostile text is shown as text');
    await preview.getByRole('img', { name: 'A lifebelt' }).waitFor();

    // The text, for those who want it: both ways.
    await button(page, 'Text').click();
    const text = page.getByLabel('Template as TOML');
    const written = await text.inputValue();
    for (const part of [
      'creditsAvailable = 1.5',
      'validity = "2 years"',
      'identity = ["email", "name"]',
      'narrative = """\nSwims 400 m',
      '[[achievement.alignment]]',
    ])
      assert.ok(written.includes(part), `${part} in ${written}`);
    await text.fill(`${written}\nthis is no TOML`);
    await button(page, 'Form').click();
    await page.getByText('The text cannot be shown as a form').waitFor();
    await button(page, 'Text').click();
    await text.fill(written.replace('"2 years"', '"30 months"'));
    await button(page, 'Form').click();
    assert.equal(await page.getByLabel('Valid', { exact: true }).inputValue(), 'months');
    assert.equal(await page.getByLabel('How long').inputValue(), '30');
    // What is not saved yet survives a look elsewhere.
    await page.getByRole('link', { name: 'Credentials', exact: true }).click();
    await page.getByLabel('Search', { exact: true }).waitFor();
    await page.goBack();
    await page.getByText('What you had not saved').waitFor();
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), TITLE);
    await button(page, 'Save').click();
    await told(page, 'The template is saved');
    await preview.getByRole('heading', { name: TITLE }).waitFor();
    await see('a template');

    // The fullest one there is: what the form does not show stays, and no text breaks the file.
    await visit(page, '#/templates/example');
    await preview.getByRole('heading', { name: 'Field Botany' }).waitFor();
    const awkward = 'A back\\slash, "quotes", """three of them""",\n\ttabs and an end"';
    await page.getByLabel('Criteria', { exact: true }).fill(awkward);
    await page.waitForFunction((text) => document.querySelector('aside .card')?.textContent.includes(text), awkward);
    await button(page, 'Save').click();
    await told(page, 'The template is saved');
    await button(page, 'Text').click();
    const full = await text.inputValue();
    for (const part of ['[achievement.creator.address]', 'geo', 'rubricCriterionLevel', 'otherIdentifier', 'valueMax = "100"'])
      assert.ok(full.includes(part), `${part} in ${full}`);
    await see('a template as text');
    await visit(page, '#/templates');
    const mine = page.getByRole('listitem').filter({ hasText: NAME });
    await mine.locator('img').waitFor();

    // --- A roster with bad rows
    await mine.getByRole('link', { name: 'Issue' }).click();
    await page.getByLabel('Template', { exact: true }).waitFor();
    assert.equal(await page.getByLabel('Template', { exact: true }).inputValue(), NAME);
    await page.locator('#roster').setInputFiles({ name: 'class of 2026.csv', mimeType: 'text/csv', buffer: Buffer.from(roster()) });
    await page.getByRole('heading', { name: 'Rows with faults' }).waitFor();
    assert.deepEqual(await Promise.all(['Rows', 'Good', 'With faults'].map((name) => figure(page, name))), [String(GOOD + 3), String(GOOD), '3']);
    const faulty = page.getByRole('region', { name: 'Rows with faults' });
    const lines = await faulty.locator('tbody tr').allInnerTexts();
    assert.deepEqual(
      lines.map((line) => Number.parseInt(line, 10)),
      [GOOD + 2, GOOD + 3, GOOD + 4],
    );
    assert.match(lines[0], /E-mail/);
    assert.match(lines[2], /Awarded/);
    // A heading that nobody knows is given its meaning.
    const understood = page.getByRole('region', { name: 'How it was understood' });
    assert.doesNotMatch(await understood.innerText(), /\bS1\b/);
    await page.getByLabel('What Legajo means').focus();
    await page.getByLabel('What Legajo means').selectOption('id');
    await understood.getByText('S1', { exact: true }).waitFor();
    assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /Legajo/, 'the focus stays');
    await shoot(page, screens, 'studio-roster-light');
    await see('a roster');
    await page.getByLabel('Send each learner a link to claim it').uncheck();
    await button(page, `Issue ${GOOD} credentials`).click();
    await page.getByRole('heading', { level: 1, name: /^Run \d+$/ }).waitFor();
    await page
      .locator('.run .badge', { hasText: /^(under way|in the queue|waiting)$/ })
      .or(page.locator('.run .badge', { hasText: 'done' }))
      .first()
      .waitFor();
    await shoot(page, screens, 'studio-run-light');
    await page.locator('.run .badge', { hasText: /^done$/ }).waitFor({ timeout: 60_000 });
    assert.ok(
      requests.some((request) => request.includes('/events ')),
      'it listened',
    );
    await page.getByText(`Done: ${GOOD} credentials are issued.`).first().waitFor();
    assert.deepEqual(await page.locator('.course strong').allInnerTexts(), Array(4).fill(String(GOOD)));
    const [failed] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download these rows' }).click()]);
    const failedRows = readFileSync(await failed.path(), 'utf8');
    assert.match(failedRows, /no address at all/);
    assert.equal(failedRows.trim().split('\n').length, 4, failedRows);
    await see('a run that is over');
    await shoot(page, screens, 'studio-run-done-light');

    // --- One is found, taken along, and revoked
    await find(page, 'LOVELACE');
    await page.getByText('Tows a "casualty"').waitFor();
    const [taken] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
    const credential = JSON.parse(readFileSync(await taken.path(), 'utf8'));
    assert.equal(credential.credentialSubject.achievement.name, TITLE);
    assert.ok(JSON.stringify(credential.proof).includes('eddsa-jcs-2022'));
    await shoot(page, screens, 'studio-credential-light');
    await button(page, 'Revoke').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('for good: it cannot be taken back').waitFor();
    await see('a question');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await button(page, 'Revoke').click();
    await shoot(page, screens, 'studio-revoke-light');
    await dialog.getByRole('button', { name: 'Revoke for good' }).click();
    await told(page, 'The credential is revoked');
    await page.locator('.facts .badge', { hasText: 'revoked' }).waitFor();
    await page.getByRole('list').filter({ hasText: 'ben' }).getByText('Revoked').waitFor();
    assert.equal(await button(page, 'Revoke').count(), 0);
    await see('a revoked credential');

    // --- A learner is told; nobody is told twice unless that is wished
    await find(page, 'learner9@');
    await button(page, 'Send claim link').click();
    await see('an invitation');
    await dialog.getByRole('button', { name: 'Send claim link' }).click();
    await told(page, 'The link is on its way');
    await page.getByRole('list').filter({ hasText: 'ben' }).getByText('Sent claim links').waitFor();
    await button(page, 'Send claim link').click();
    await dialog.getByRole('button', { name: 'Send claim link' }).click();
    await dialog.getByRole('alert').getByText('One learner gets none').waitFor();
    await see('an invitation that was refused');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await visit(page, '#/');
    await page.getByText('0 sent, 1 waiting').waitFor();

    // --- One is corrected: another takes its place
    await find(page, 'learner7@');
    await button(page, 'Re-issue').click();
    await dialog.getByLabel('Name', { exact: true }).fill('Josefina Ñandú');
    await see('a correction');
    await dialog.getByRole('button', { name: 'Re-issue and revoke the old one' }).click();
    await page.getByRole('link', { name: 'See the new credential' }).click({ timeout: 60_000 });
    await page.getByRole('heading', { level: 1, name: 'Josefina Ñandú' }).waitFor();
    await page.locator('.facts .badge', { hasText: 'good' }).waitFor();
    await visit(page, '#/credentials?search=learner7@');
    await page.getByText('2 credentials', { exact: true }).waitFor();
    const old = main(page).locator('tbody tr', { hasText: 'Learner Number 7' });
    await old.locator('.badge', { hasText: 'revoked' }).waitFor();
    await old.getByRole('link').click();
    await page.getByRole('link', { name: 'this credential' }).click();
    await page.getByRole('heading', { level: 1, name: 'Josefina Ñandú' }).waitFor();

    // --- Several at once
    await visit(page, `#/credentials?search=${NAME}`);
    await page.getByLabel('State', { exact: true }).selectOption('good');
    await page.getByText(`${GOOD - 1} credentials`, { exact: true }).waitFor();
    for (const name of ['Learner Number 3', 'Learner Number 4']) await page.getByLabel(`Choose ${name}`).check();
    await shoot(page, screens, 'studio-chosen-light');
    await page.getByRole('group', { name: 'With those that are chosen' }).getByRole('button', { name: 'Revoke' }).click();
    await dialog.getByRole('button', { name: 'Revoke 2 for good' }).click();
    await told(page, '2 credentials are revoked');
    await page.getByText(`${GOOD - 3} credentials`, { exact: true }).waitFor();
    await page.getByLabel('State', { exact: true }).selectOption('revoked');
    await page.getByText('4 credentials', { exact: true }).waitFor();
    await see('those that are revoked');
    assert.equal(new URL(page.url()).search, '', 'what is looked for stays behind the #');
  });

  // --- Who only looks sees nothing to press
  await somebody('vera', {}, async ({ page, see }) => {
    assert.deepEqual(await page.locator('.top nav a').allInnerTexts(), ['Overview', 'Templates', 'Credentials']);
    await page.getByRole('heading', { name: 'Issued lately' }).waitFor();
    for (const [link, heading] of [
      ['#/', 'Overview'],
      ['#/templates', 'Templates'],
      [`#/templates/${NAME}`, 'Template'],
      ['#/runs', 'Runs'],
      ['#/runs/1', 'Run 1'],
      ['#/credentials', 'Credentials'],
    ]) {
      await visit(page, link);
      await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
      const pressed = await main(page).locator('button, input:not([type=search]), textarea').count();
      assert.equal(pressed, 0, `${link}: what somebody may not use is not there`);
      await see(`${link}, for one who looks`);
    }
    await find(page, 'learner9@');
    assert.equal(await main(page).locator('button').count(), 0);
    await shoot(page, screens, 'studio-viewer-light');
    for (const link of ['#/issue', '#/new-template', '#/people', '#/audit', '#/nothing', '#/templates/a/b']) {
      await visit(page, link);
      await page.getByRole('heading', { name: 'Nothing is here' }).waitFor();
    }
    // The server holds to it, whatever a page does.
    const status = await page.evaluate(async (name) => (await fetch(`/studio/api/templates/${name}`, { method: 'DELETE' })).status, NAME);
    assert.equal(status, 403);
    await button(page, 'Sign out').click();
    await page.locator('input[name=name]').waitFor();
  });

  // --- Who administers lets people in, and reads what was done
  await somebody('ana', {}, async ({ page, see }) => {
    await visit(page, '#/people');
    await page.getByLabel('Name', { exact: true }).fill('carla');
    await page.getByLabel('Role', { exact: true }).selectOption('viewer');
    await page.getByLabel('Password', { exact: true }).fill('too short');
    await button(page, 'Add a person').click();
    await page.getByRole('alert').getByText('at least 15 characters').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(password);
    await button(page, 'Add a person').click();
    await told(page, 'carla may sign in');
    await page.getByLabel('Role of carla').selectOption('issuer');
    await told(page, 'carla: Issuer');
    assert.equal(await page.getByLabel('Role of ana').count(), 0, 'nobody takes their own role away');
    await shoot(page, screens, 'studio-people-light');
    await see('people');
    await button(page, 'Remove carla').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await told(page, 'carla is removed');
    await button(page, 'ana: Change your password').click();
    await page.getByRole('dialog').getByLabel('Current password').fill('not this one at all');
    await page.getByRole('dialog').getByLabel('New password').fill('four other words indeed');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByRole('alert').getByText('another one').waitFor();
    await page.keyboard.press('Escape');
    await visit(page, '#/audit');
    const log = await page.getByRole('list', { name: 'Audit log' }).innerText();
    for (const [who, what] of [
      ['ben', 'Revoked'],
      ['ben', 'Re-issued'],
      ['ben', 'Saved a template'],
      ['ana', 'Removed a person'],
      ['vera', 'Was refused'],
    ]) {
      assert.match(log, new RegExp(`${who}\\s+${what}`), log);
    }
    const years = await page
      .getByRole('list', { name: 'Audit log' })
      .locator('time')
      .evaluateAll((times) => times.map((time) => time.dateTime.slice(0, 4)));
    assert.deepEqual([...new Set(years)], [String(new Date().getUTCFullYear())]);
    await shoot(page, screens, 'studio-audit-light');
    await see('the audit log');
  });

  // --- Every view, in each look
  const VIEWS = [
    ['overview', '#/'],
    ['templates', '#/templates'],
    ['template', `#/templates/${NAME}`],
    ['issue', `#/issue?template=${NAME}`],
    ['runs', '#/runs'],
    ['run', '#/runs/1'],
    ['credentials', '#/credentials'],
    ['people', '#/people'],
    ['audit', '#/audit'],
  ];
  for (const [look, options] of LOOKS) {
    await somebody('ana', options, async ({ page, see }) => {
      assert.equal(await page.locator('html').getAttribute('lang'), look === 'spanish' ? 'es' : 'en');
      for (const [name, link] of VIEWS) {
        await visit(page, link);
        await page.waitForLoadState('networkidle');
        await see(`${name}, ${look}`);
        await shoot(page, screens, `studio-${name}-${look}`);
      }
      await main(page).locator('tbody a').first().waitFor({ state: 'detached' });
      await visit(page, '#/credentials');
      await main(page).locator('tbody a').first().click();
      await page.locator('.card').waitFor();
      await see(`a credential, ${look}`);
      if (look !== 'light') await shoot(page, screens, `studio-credential-${look}`);
    });
  }
  // A choice of language is kept.
  await somebody('ana', {}, async ({ page }) => {
    await page.getByLabel('Language').selectOption('es');
    await page.getByRole('heading', { level: 1, name: 'Resumen' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Resumen' }).waitFor();
  });
} finally {
  await browser.close();
}
process.exit(0);
