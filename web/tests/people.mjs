// Learners and employers, each with a browser of their own that is watched; and the world, which somebody else started: it comes
// as JSON in the first line of standard input.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import jsQr from 'jsqr';
import { launch, open, overflows, shoot, violations } from './browser.mjs';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async () => JSON.parse((await lines.next()).value);
export const world = await line();
/** Has something done outside of the browser. */
export const please = async (what) => {
  console.log(JSON.stringify(what));
  return line();
};

// --- What no request may hold. Codes are added as they are drawn.

export const keys = new Set();
const tokens = new Set();
export const owners = new Set();
const watched = [];

/** The codes behind `#`: a key, and a token or an owner's code. */
export function behind(link) {
  return new URL(link).hash.slice(1).split('.');
}

for (const link of Object.values(world.invitations)) {
  const [key, token] = behind(link);
  keys.add(key);
  tokens.add(token);
}

/** A request without the one place where a code must be. */
function elsewhere(request) {
  const outside = request.replace(/"authorization":"Owner [\w-]{22}"/, '');
  if (/^POST \S+\/v1\/claims\/[\w-]{22} /.test(request)) return outside.replace(/"(token|owner)":"[\w-]{22}"/g, '');
  if (/^POST \S+\/v1\/pages /.test(request)) return outside.replace(/"owner":"[\w-]{22}"/, '');
  return outside;
}

export function assertNothingLeft(content) {
  assert.ok(watched.length > 50 && keys.size > 3 && owners.size > 3 && content.length > 5, 'something was watched');
  for (const request of watched) {
    const outside = elsewhere(request);
    for (const code of [...keys, ...tokens, ...owners]) assert.ok(!outside.includes(code), `${code} left in ${outside}`);
    // What the learner lets everybody see.
    const shown = /^PUT \S+\/preview /.test(request) ? ['Field Botany'] : [];
    for (const text of content.filter((text) => !shown.includes(text))) {
      assert.ok(!outside.toLowerCase().includes(text.toLowerCase()), `“${text}” left in ${outside}`);
    }
  }
}

// --- Browsers

export const browser = await launch();
export const opened = [];

/** A browser of somebody's own. */
export async function somebody(options = {}) {
  const rpc = new URL(world.rpc).origin;
  const one = await open(browser, world.url, { allowed: [rpc], ...options });
  opened.push(one);
  one.close = async () => {
    assert.deepEqual(one.faults, []);
    watched.push(...one.requests);
    opened.splice(opened.indexOf(one), 1);
    await one.page.context().close();
  };
  return one;
}

/** As it looks by day, by night, and on a phone; nothing that axe minds, and nothing too wide. */
export async function look(page, name) {
  const [wide, size] = [{ width: 1200, height: 900 }, page.viewportSize()];
  for (const [how, colorScheme, viewport] of [['light', 'light', wide], ['dark', 'dark', wide], ['phone', 'light', { width: 390, height: 844 }]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(viewport);
    await shoot(page, world.screens, `share-${name}-${how}`);
    assert.deepEqual(await violations(page), [], `axe: ${name} ${how}`);
    assert.equal(await overflows(page), false, `${name} ${how} is wider than its window`);
  }
  await page.setViewportSize(size);
}

/** What an employer sees at a link. */
export async function employer(link, heading, more = async () => {}, options = {}) {
  const { page, close } = await somebody(options);
  await options.before?.(page);
  await page.goto(link);
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
  await more(page);
  await close();
}

export const owned = (page, id) => page.evaluate((id) => JSON.parse(localStorage['testamur-pages']).find((one) => one.id === id), id);

/** Opens a tool's panel. */
export async function tool(page, name) {
  const panel = page.locator(`#tool-${name}`);
  if ((await panel.getAttribute('open')) === null) await panel.locator('summary').first().click();
  return panel;
}

export async function saved(page, button) {
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  const path = `${world.folder}/${file.suggestedFilename()}`;
  await file.saveAs(path);
  return path;
}

/** What a QR code says, read from its pixels. */
export async function decoded(code) {
  const { data, size } = await code.evaluate(async (svg) => {
    const alone = svg.cloneNode(true);
    const side = svg.viewBox.baseVal.width * 6;
    for (const name of ['width', 'height']) alone.setAttribute(name, side);
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(alone))}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return { data: [...context.getImageData(0, 0, side, side).data], size: side };
  });
  return jsQr(Uint8ClampedArray.from(data), size, size)?.data;
}

/** The verdict in a learner's own view. */
export const strip = (page, verdict) => page.locator('.strip .mark', { hasText: verdict }).waitFor();

export async function claim(page, link) {
  await page.goto(link);
  await page.getByRole('button', { name: 'Take my credential' }).click();
  await page.locator('#welcome').waitFor();
  await strip(page, 'Valid');
  const id = new URL(page.url()).pathname.split('/').at(-1);
  const kept = await owned(page, id);
  owners.add(kept.owner);
  assert.equal(new URL(page.url()).hash, '', 'nothing secret stands in the address');
  return kept;
}

export async function sharedLink(page) {
  const link = await page.getByLabel('Link', { exact: true }).first().inputValue();
  keys.add(behind(link)[0]);
  return link;
}
