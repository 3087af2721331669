/** Verifies credentials in the browser. The page needs no server: it reads the chain itself. */

import '../src/style.css';
import './style.css';
import { type Child, append, h, replace } from '../src/dom';
import { whenSpoken } from '../src/i18n';
import { layout, ofTheNode } from '../src/layout';
import { notice } from '../src/parts';
import { type Options, type RecognisedIssuer, type Verifier, verifier } from '../src/verifier';
import { type Item, read } from './files';
import { complain, dropAnywhere, intake } from './intake';
import { type Settings, defaults, kept, options, site } from './settings';
import { openSettings, settingsForm } from './settings-form';
import { card } from './show';
import { overview } from './table';
import { trustedBy, why } from './tell';
import { basis, checks, copyLink, verdict } from './verdict';
import { t } from './words';

const host = await site();
const status = h('p', { class: 'hidden', role: 'status', id: 'live' });
let items: Item[] = [];
let shown: Item | undefined;
let let_go: (() => void)[] = [];
/** What is under way; another one ends it. */
let current = new AbortController();
let preset: Settings;
let settings: Settings;
let main: HTMLElement;
const stage = h('div', { id: 'stage' });

const taken = { files: (files: File[]) => void take(read(files)), text: (text: string) => void paste(text) };

function draw(): void {
  main = layout(t('title'), host.node ? ofTheNode() : [], stage, settingsForm(settings, preset, apply), status);
  show();
}

/** What is there: nothing yet, one file, or several. */
function show(focus = false): void {
  for (const release of let_go.splice(0)) release();
  const [first] = items;
  if (first === undefined) replace(stage, h('h1', {}, t('title')), h('p', { class: 'lead' }, t('lead')), intake(taken), how());
  else if (items.length === 1) replace(stage, ...one(first));
  else replace(stage, overview(items, open), h('div', { class: 'row' }, another()), shown && h('hr'), ...(shown ? one(shown) : []));
  if (focus) document.getElementById('verdict')?.focus();
}

function one(item: Item): Child[] {
  const { result, trouble } = item;
  if (!result) return [h('h1', { id: 'verdict', tabindex: -1 }, item.name), notice(trouble ?? '', 'bad'), another()];
  const release = (released: () => void) => void let_go.push(released);
  return [
    verdict(item, result, { again, settings: openSettings, recognise, askHosts }, {
      alone: items.length === 1,
      actions: (said) => [items.length === 1 && another('main'), copyLink(item, said)],
    }),
    h('div', { class: 'result' }, card(item, release), h('div', {}, checks(result), basis(item, result, trustedBy({ settings, preset, host })))),
  ];
}

function another(kind?: string): HTMLElement {
  return h('button', { type: 'button', class: kind, onclick: reset }, t('another'));
}

function how(): HTMLElement {
  return h('details', { class: 'how' }, h('summary', {}, t('how')), h('ol', {}, ...(['how-1', 'how-2', 'how-3'] as const).map((key) => h('li', {}, t(key)))));
}

function reset(): void {
  current.abort();
  items = [];
  shown = undefined;
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
  show();
  main.focus();
}

function open(item: Item): void {
  shown = item;
  show();
  document.getElementById('verdict-of-one')?.focus();
}

/** Verifies what was taken, one after the other. */
async function take(reading: Promise<Item[]>): Promise<void> {
  current.abort();
  const mine = (current = new AbortController());
  main.setAttribute('aria-busy', 'true');
  try {
    const read = await reading;
    if (read.length === 0) return;
    const loaded = await verifier();
    for (const item of read) if (item.trouble === undefined) await verify(loaded, item, mine.signal);
    items = read;
    shown = undefined;
    show(true);
    announce();
  } catch (error) {
    if (!mine.signal.aborted) complain(t('failed', { detail: (error as Error).message }));
  } finally {
    if (current === mine) main.removeAttribute('aria-busy');
  }
}

async function verify(loaded: Verifier, item: Item, signal: AbortSignal): Promise<void> {
  const { name, bytes, receipt, evidence } = item;
  const answers = h('p', { class: 'quiet' });
  const progress = (count: number) => replace(answers, t('answers', { count }));
  const beside: Options = { name, signal, progress, ...(receipt && { receipt }), ...(evidence && { evidence }) };
  busy(name, answers);
  item.result = await loaded.verify(bytes, { ...options(settings), ...beside });
}

function busy(name: string, answers: HTMLElement): void {
  replace(status, t('verifying'));
  const bar = h('progress', { 'aria-label': t('verifying') });
  if (items.length === 0) replace(stage, h('h1', {}, t('verifying')), h('p', { class: 'lead' }, name), bar, answers);
}

function announce(): void {
  const [first] = items;
  if (items.length === 1 && first?.result) {
    replace(status, t('announce', { verdict: t(first.result.verdict), why: why(first.result) }));
  } else replace(status, document.getElementById('verdict')?.textContent ?? '');
}

async function paste(text: string): Promise<void> {
  if (/#c1\./.test(text) || text.startsWith('c1.')) return link(text);
  if (/^https?:\/\/\S+$/.test(text)) return complain(t('paste-elsewhere'));
  if (text === '') return complain(t('paste-nothing'));
  const name = text.startsWith('{') || text.startsWith('[') ? 'pasted.json' : text.startsWith('<') ? 'pasted.svg' : 'pasted.jwt';
  await take(Promise.resolve([{ name, bytes: new TextEncoder().encode(text) }]));
}

/** A link carries the credential behind its `#`, which browsers send to no server. */
async function link(text: string): Promise<void> {
  try {
    const bytes = await (await verifier()).fromLink(text.startsWith('c1.') ? `#${text}` : text);
    await take(Promise.resolve([{ name: bytes[0] === 0x7b ? 'credential.json' : 'credential.jwt', bytes }]));
  } catch {
    items = [];
    show();
    complain(t('link-broken'));
  }
}

function again(): void {
  void take(Promise.resolve(items));
}

function apply(changed: Settings): void {
  settings = changed;
  if (items.length > 0) again();
}

/** Until the page is closed, unless the visitor keeps the settings. */
function recognise(issuer: RecognisedIssuer): void {
  settings = { ...settings, issuers: [...settings.issuers, issuer] };
  redrawAndTry();
}

function askHosts(): void {
  settings = { ...settings, documents: true };
  redrawAndTry();
}

function redrawAndTry(): void {
  draw();
  again();
}

function fromAddress(): void {
  if (location.hash.startsWith('#c1.')) void link(location.href);
}

async function start(): Promise<void> {
  try {
    preset = defaults(await (await verifier()).defaultPolicy(), host);
  } catch (error) {
    append(layout(t('title'), [], h('h1', {}, t('title'))), notice(t('failed', { detail: (error as Error).message }), 'bad'));
    return;
  }
  settings = kept() ?? preset;
  draw();
  whenSpoken(draw);
  dropAnywhere(taken);
  addEventListener('hashchange', fromAddress);
  fromAddress();
}

await start();
