// Learners claim, share and manage; employers look. What it needs comes as JSON in the first line of standard input:
// { url, rpc, invitations: { botany, compilers, another, replaced }, folder, screens }. It asks whoever started it to act on the world
// (a line of JSON on standard output, answered by one), and ends with 0 if all is as it should be.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { shoot, violations } from './browser.mjs';
import {
  assertNothingLeft,
  behind,
  browser,
  claim,
  decoded,
  employer,
  keys,
  look,
  opened,
  owned,
  owners,
  please,
  saved,
  sharedLink,
  somebody,
  strip,
  tool,
  world,
} from './people.mjs';

try {
  // --- Programs that look into mails open the link: nothing happens
  const { botany, compilers, another, replaced } = world.invitations;
  for (const method of ['GET', 'HEAD', 'GET']) assert.equal((await fetch(botany, { method })).status, 200);
  const scanner = await somebody();
  await scanner.page.goto(botany);
  await scanner.page.getByRole('heading', { name: 'A credential is waiting for you' }).waitFor();
  await look(scanner.page, 'claim');
  assert.deepEqual(scanner.requests.filter((request) => request.includes('/v1/')), []);
  await scanner.close();

  // --- A click claims; where the reply is lost, the same click again does
  const learner = await somebody();
  const { page } = learner;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: world.url });
  await page.route('**/v1/claims/*', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.goto(botany);
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Take my credential' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
  await page.unroute('**/v1/claims/*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('#welcome').waitFor();
  await strip(page, 'Valid');
  await look(page, 'claimed');
  const id = new URL(page.url()).pathname.split('/').at(-1);
  const own = await owned(page, id);
  owners.add(own.owner);
  assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('testamur-claiming')).length), 0);

  // --- A second browser is told; so is the holder of an older or a spoilt invitation
  await employer(botany, 'A credential is waiting for you', async (page) => {
    await page.getByRole('button', { name: 'Take my credential' }).click();
    await page.getByRole('heading', { level: 1, name: 'Claimed before' }).waitFor();
    await look(page, 'claimed-before');
  });
  for (const [link, heading] of [
    [replaced, 'The invitation is over'],
    [`${compilers.slice(0, -22)}${'A'.repeat(22)}`, 'The invitation cannot be read'],
    [compilers.replace(/\/claim\/.{22}/, `/claim/${'A'.repeat(22)}`), 'There is no such page'],
  ]) {
    await employer(link, 'A credential is waiting for you', async (page) => {
      await page.getByRole('button', { name: 'Take my credential' }).click();
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    });
  }
  await employer(compilers.slice(0, -3), 'The link was cut off');
  await employer(compilers.split('#')[0], 'The key is missing');

  // --- The learner comes back: by the address alone here, by the own link elsewhere, by the invitation as well
  for (const address of [`${world.url}/manage/${id}`, botany]) {
    await page.goto(address);
    await strip(page, 'Valid');
  }
  const ownLink = await (await tool(page, 'own')).getByLabel('Your own link').inputValue();
  assert.equal(ownLink, `${world.url}/manage/${id}#${own.key}.${own.owner}`);
  await employer(ownLink, 'Field Botany', (page) => strip(page, 'Valid'));
  await employer(`${ownLink.slice(0, -22)}${'A'.repeat(22)}`, "This is not your page's link");
  await employer(`${world.url}/manage/${id}`, 'The key is missing');

  // --- Nobody sees it until it is shared
  const share = `${world.url}/c/${id}#${own.key}`;
  await employer(share, 'Not shared at present', (page) => look(page, 'not-shared'));
  await page.locator('#share').getByRole('button', { name: 'Make a link' }).click();
  await page.locator('#share .qr').waitFor();
  assert.equal(await sharedLink(page), share);
  assert.equal(await decoded(page.locator('#share .qr')), share);
  await page.locator('#share').getByRole('button', { name: 'Copy' }).click();
  await page.locator('#share .said', { hasText: 'Copied.' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), share);
  await look(page, 'shared');

  // --- An employer opens it: one view, counted once it could be opened
  await employer(share.replace('#', '?utm_source=mail#'), 'Valid', async (page) => {
    const text = await page.locator('main').innerText();
    for (const part of ['Field Botany', 'Example University', 'Rosa <b>Luz</b>', world.rpc]) assert.ok(text.includes(part), part);
    assert.equal(await page.locator('main b').count(), 0, 'text stays text');
    assert.equal(await page.getByLabel('On the command line').inputValue(), `testamur verify field-botany.json --rpc ${world.rpc}`);
    for (const summary of await page.locator('.check summary').all()) await summary.click();
    await look(page, 'seen');
    const file = await saved(page, page.getByRole('button', { name: 'Download the credential' }));
    assert.deepEqual(await please({ do: 'verify', file }), { verdict: 'valid' });
    assert.match(await saved(page, page.getByRole('button', { name: 'Save evidence' })), /field-botany\.json\.evidence$/);
    const paper = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    assert.ok(paper.length > 10_000);
    await page.emulateMedia({ media: 'print' });
    await shoot(page, world.screens, 'share-seen-paper');
    await page.emulateMedia({ media: null });
  });

  // --- Links that do not open, each for its own reason; none of them says “invalid”
  const other = 'A'.repeat(22);
  const refused = [
    [`${world.url}/c/${id}#${other}`, 'The key does not open it', 'wrong-key'],
    [`${world.url}/c/${id}`, 'The key is missing', 'no-key'],
    [share.slice(0, -4), 'The link was cut off', 'cut-off'],
    [`${world.url}/c/${id.slice(3)}#${own.key}`, 'The link is damaged'],
    [`${world.url}/c/${other}#${own.key}`, 'There is no such page'],
  ];
  for (const [link, heading, shot] of refused) {
    await employer(link, heading, async (page) => {
      assert.match(await page.locator('main').innerText(), /says nothing about the credential itself/);
      assert.doesNotMatch(await page.locator('main').innerText(), /invalid/i);
      if (shot) await look(page, shot);
    });
  }
  const away = (page) => page.route('**/v1/**', (route) => route.abort());
  await employer(share, 'The server cannot be reached', async (page) => {
    await look(page, 'unreachable');
    await page.unroute('**/v1/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { level: 1, name: 'Valid' }).waitFor();
  }, { before: away });
  const strange = (page) => page.route('**/v1/**', (route) => route.fulfill({ status: 511, contentType: 'text/html', body: '<h1>Sign in</h1>' }));
  await employer(share, 'The server gave a strange answer', undefined, { before: strange });
  const altered = (page) => page.route('**/sealed', async (route) => {
    const body = await (await route.fetch()).body();
    body[100] ^= 1;
    await route.fulfill({ body });
  });
  await employer(share, 'The key does not open it', undefined, { before: altered });
  const cut = (page) => page.route('**/sealed', async (route) => route.fulfill({ body: (await (await route.fetch()).body()).subarray(0, 1000) }));
  await employer(share, 'The content arrived incomplete', undefined, { before: cut });
  await page.reload();
  await page.getByText('Opened 2 times.').waitFor();

  // --- Spanish, on a phone, by night
  await employer(`${share.replace('#', '?lang=es#')}`, 'Válida', (page) => shoot(page, world.screens, 'share-seen-es'), { width: 390, height: 844, dark: true, locale: 'es-ES' });
  await employer(`${world.url}/c/${id}`, 'Falta la clave', (page) => shoot(page, world.screens, 'share-no-key-es'), { width: 390, height: 844, dark: true, locale: 'es-ES' });

  // --- Files: each is verified by the command line
  await strip(page, 'Valid');
  for (const [name, button] of [['download', 'Download the credential'], ['picture', 'Download PNG'], ['picture', 'Download SVG']]) {
    const file = await saved(page, (await tool(page, name)).getByRole('button', { name: button }));
    assert.deepEqual(await please({ do: 'verify', file }), { verdict: 'valid' }, file);
  }
  const pdf = await saved(page, (await tool(page, 'certificate')).getByRole('button', { name: 'Download the PDF' }));
  assert.match(readFileSync(pdf, 'latin1'), /^%PDF-1/);
  const credential = JSON.parse(readFileSync(`${world.folder}/field-botany.json`, 'utf8'));
  assert.match(readFileSync(`${world.folder}/field-botany.png`, 'latin1'), /iTXtopenbadgecredential\0\0\0\0\0\{/);

  // --- LinkedIn, signature, code to embed
  const linkedin = await tool(page, 'linkedin');
  const form = new URL(await linkedin.locator('#linkedin-add').getAttribute('href'));
  assert.equal(form.origin, 'https://www.linkedin.com');
  assert.equal(form.searchParams.get('certUrl'), share);
  assert.equal(form.searchParams.get('certId'), credential.id);
  assert.equal(form.searchParams.get('name'), 'Field Botany');
  assert.equal(form.searchParams.get('organizationId'), '1337');
  assert.equal(await linkedin.getByLabel('Credential URL').inputValue(), share);
  const signature = await tool(page, 'signature');
  await signature.getByRole('button', { name: 'Copy the signature' }).click();
  await signature.getByText('Copied.').waitFor();
  const rich = await page.evaluate(async () => (await (await navigator.clipboard.read())[0].getType('text/html')).text());
  assert.ok(rich.includes('Field Botany') && rich.includes(share.split('#')[1]), rich);
  const embed = await tool(page, 'embed');
  const code = await embed.getByLabel('Code', { exact: true }).inputValue();
  const whole = await embed.getByLabel('Code with the credential in it').inputValue();
  const guest = await somebody();
  await guest.page.goto(`${world.url}/embed/`);
  for (const html of [code, whole]) {
    await guest.page.evaluate((html) => {
      const element = new DOMParser().parseFromString(html, 'text/html').querySelector('testamur-verify');
      document.querySelector('main').replaceChildren(document.importNode(element, true));
    }, html);
    await guest.page.locator('testamur-verify').getByText('Field Botany · Example University').waitFor();
    await guest.page.locator('testamur-verify').getByText('Valid', { exact: true }).waitFor();
  }
  await guest.close();

  // --- A link that needs no server, and an offer to a wallet
  const noServer = await tool(page, 'whole');
  await noServer.getByRole('button', { name: 'Make the link' }).click();
  const long = await noServer.getByLabel('Link', { exact: true }).inputValue();
  assert.match(long, /\/verify\/#c1\./);
  if ((await noServer.locator('.qr').count()) > 0) assert.equal(await decoded(noServer.locator('.qr')), long);
  await employer(long, 'Valid');
  const wallet = await tool(page, 'wallet');
  await wallet.getByRole('button', { name: 'Make an offer' }).click();
  const offer = await wallet.locator('#offer').getAttribute('href');
  assert.equal(await decoded(wallet.locator('.qr')), offer);
  const offered = JSON.parse(new URL(offer).searchParams.get('credential_offer'));
  assert.equal(offered.credential_issuer, world.url);
  const preAuthorized = offered.grants['urn:ietf:params:oauth:grant-type:pre-authorized_code']['pre-authorized_code'];
  assert.ok(preAuthorized.startsWith(`${id}.${own.key}.`), preAuthorized);
  assert.equal(preAuthorized.split('.').length, 3);

  // --- Social sites: nothing, until the learner says what
  const html = async () => (await fetch(share.split('#')[0])).text();
  assert.doesNotMatch(await html(), /og:|botany|Rosa/i);
  let preview = await tool(page, 'preview');
  await preview.getByLabel('What was achieved').check();
  await preview.getByLabel('Who issued it').check();
  await preview.getByRole('button', { name: 'Save the preview' }).click();
  preview = await tool(page, 'preview');
  await preview.locator('img').evaluate((image) => image.decode());
  assert.ok((await preview.locator('img').evaluate((image) => image.naturalWidth)) >= 1000);
  assert.match(await html(), /og:title[^>]*Field Botany/);
  assert.doesNotMatch(await html(), /Rosa/);
  await look(page, 'tools');
  await preview.getByRole('button', { name: 'Show nothing' }).click();
  await preview.locator('img').waitFor({ state: 'detached' });
  assert.doesNotMatch(await html(), /og:|botany/i);

  // --- A portfolio of two, with a title that is no markup
  const second = await claim(page, compilers);
  const portfolio = await tool(page, 'portfolio');
  const title = '<img src=x onerror=alert(1)> Rosa';
  await portfolio.getByLabel('Title').fill(title);
  await portfolio.getByLabel('A few words about you').fill('I read plants\nand programs.');
  await portfolio.getByLabel('Field Botany').check();
  await portfolio.getByRole('button', { name: 'Make the portfolio' }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  await page.locator('#share .qr').waitFor();
  const together = await sharedLink(page);
  owners.add((await owned(page, new URL(page.url()).pathname.split('/').at(-1))).owner);
  assert.equal(await decoded(page.locator('#share .qr')), together);
  await look(page, 'portfolio-own');
  await employer(together, title, async (page) => {
    await page.locator('.one .mark', { hasText: 'Valid' }).nth(1).waitFor();
    assert.equal(await page.locator('main img[src="x"]').count(), 0);
    await look(page, 'portfolio');
    await page.getByRole('link', { name: 'Compilers' }).click();
    await page.getByRole('heading', { level: 1, name: 'Valid' }).waitFor();
  });

  // --- It is changed under the same link: other words, one credential less
  await page.getByLabel('Title').fill('Rosa Luz');
  await page.getByLabel('Field Botany').uncheck();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Rosa Luz' }).waitFor();
  await employer(together, 'Rosa Luz', async (page) => {
    await page.locator('.one .mark', { hasText: 'Valid' }).waitFor();
    assert.equal(await page.locator('.one').count(), 1);
  });

  // --- The issuer revokes: the employer sees it, without anybody asking the learner
  await please({ do: 'revoke', id: JSON.parse(readFileSync(await savedOf(page, second), 'utf8')).id });
  await employer(`${world.url}/c/${second.id}#${second.key}`, 'Invalid', async (page) => {
    assert.match(await page.locator('.verdict .why').innerText(), /The issuer revoked it on/);
    await look(page, 'revoked');
  });
  await employer(together, 'Rosa Luz', async (page) => {
    await page.locator('.one .mark', { hasText: 'Invalid' }).waitFor();
    await look(page, 'portfolio-revoked');
  });

  // --- The registry's node is switched off: nobody needs it
  await please({ do: 'stop-node' });
  await employer(share, 'Valid');

  // --- Another link for the same credential: the old one is dead
  await page.goto(`${world.url}/manage/${id}`);
  await strip(page, 'Valid');
  await (await tool(page, 'anew')).getByRole('button', { name: 'Make a new link' }).click();
  await page.waitForFunction((id) => !location.pathname.endsWith(id), id);
  await page.locator('#share .qr').waitFor();
  const anew = await sharedLink(page);
  owners.add((await owned(page, new URL(page.url()).pathname.split('/').at(-1))).owner);
  assert.notEqual(behind(anew)[0], own.key);
  await employer(anew, 'Valid');
  await employer(share, 'Not shared at present');

  // --- Not shared any more; deleted, asked twice
  await page.locator('#share').getByRole('button', { name: 'Stop sharing' }).click();
  await page.locator('#share').getByRole('button', { name: 'Make a link' }).waitFor();
  await employer(anew, 'Not shared at present');
  const deletion = await tool(page, 'delete');
  await deletion.getByRole('button', { name: 'Delete…' }).click();
  await deletion.getByRole('button', { name: 'Keep it' }).click();
  await deletion.getByRole('button', { name: 'Delete…' }).click();
  await look(page, 'delete');
  await deletion.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByRole('heading', { level: 1, name: 'It is deleted' }).waitFor();
  await employer(anew, 'Deleted', (page) => look(page, 'deleted'));
  await learner.close();

  // --- Where nothing may be stored, the address carries what is needed; in Spanish, on a phone, by night
  const forgetful = await somebody({ width: 390, height: 844, dark: true, locale: 'es-ES' });
  await forgetful.page.addInitScript(() => Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('denied', 'SecurityError'); } }));
  await forgetful.page.goto(another);
  await forgetful.page.getByRole('button', { name: 'Recoger mi credencial' }).click();
  await forgetful.page.locator('#welcome').waitFor();
  const [anothersKey, anothersOwner] = behind(forgetful.page.url());
  keys.add(anothersKey);
  owners.add(anothersOwner);
  await strip(forgetful.page, 'Válida');
  await forgetful.page.getByText('Este navegador no puede recordarla').waitFor();
  await forgetful.page.locator('#share').getByRole('button', { name: 'Hacer un enlace' }).click();
  await forgetful.page.locator('#share .qr').waitFor();
  await shoot(forgetful.page, world.screens, 'share-own-es');
  assert.deepEqual(await violations(forgetful.page), []);
  await forgetful.page.reload();
  await strip(forgetful.page, 'Válida');
  await forgetful.page.getByLabel('Idioma').selectOption('en');
  await strip(forgetful.page, 'Valid');
  await forgetful.close();

  // --- Of all this, nothing left that only the learner and those with the link may have
  const content = [credential.id, credential.credentialSubject.achievement.name, credential.credentialSubject.achievement.description, 'Rosa', 'Luz', 'Compilers', 'read plants', credential.credentialSubject.achievement.criteria.narrative, credential.proof?.[0]?.proofValue ?? credential.proof?.proofValue];
  assertNothingLeft(content.filter(Boolean));
} catch (error) {
  for (const { page, faults } of opened) {
    console.error(page.url().split('#')[0], faults, (await page.locator('body').innerText().catch(() => '')).slice(0, 800));
    await shoot(page, world.screens, 'share-failed').catch(() => undefined);
  }
  throw error;
} finally {
  await browser.close();
}
process.exit(0);

/** The credential of another page of the learner's, downloaded there. */
async function savedOf(page, { id }) {
  await page.goto(`${world.url}/manage/${id}`);
  await strip(page, 'Valid');
  return saved(page, (await tool(page, 'download')).getByRole('button', { name: 'Download the credential' }));
}
