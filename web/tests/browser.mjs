// A browser that watches what a page does: every request, every word on its console, every fault.

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const CHROMIUM = process.env.TESTAMUR_CHROMIUM ?? '/usr/bin/chromium';

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });
}

/**
 * A page in a context of its own. `faults` gathers what must not happen; requests may go to `origin`, and to those that are
 * `allowed`. `requests` has everything that left the page.
 */
export async function open(browser, origin, options = {}) {
  const { width = 1200, height = 900, dark = false, locale = 'en-GB', allowed = [] } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    locale,
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const faults = [];
  const requests = [];
  page.on('request', (request) => {
    if (request.url().startsWith('blob:') || request.url().startsWith('data:')) return;
    requests.push(`${request.method()} ${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ''}`);
    if (![origin, ...allowed].includes(new URL(request.url()).origin)) faults.push(`a request to ${request.url()}`);
  });
  page.on('console', (message) => {
    // Chromium reports what could not be had, whatever a page makes of it.
    if (allowed.length > 0 && message.text().startsWith('Failed to load resource')) return;
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  return { page, faults, requests, close: () => context.close() };
}

/** What axe finds against a page, as lines; none: nothing. */
export async function violations(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html}`));
}

/** Whether a page is wider than its window. */
export function overflows(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

export async function shoot(page, folder, name) {
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
