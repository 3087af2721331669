/** What would help where something could not be told. */

import { h } from '../src/dom';
import type { Check, Hex, RecognisedIssuer, Result } from '../src/verifier';
import { type Key, t } from './words';

/** What the page can do about it. */
export interface Ways {
  again(): void;
  settings(): void;
  recognise(issuer: RecognisedIssuer): void;
  askHosts(): void;
}

type Detail = NonNullable<Check['detail']>;

const UNSEEN: Record<string, Key> = {
  noEndpoint: 'help-endpoint',
  otherChain: 'help-otherChain',
  noEvidence: 'help-endpoint',
  blockNotTrusted: 'help-checkpoint',
  unreachable: 'help-unreachable',
  unusable: 'help-unusable',
};
const SETTINGS: Record<string, Key> = { chainNotAccepted: 'help-chain', registryNotAccepted: 'help-registry', identityTooOld: 'help-later' };
const RECEIPT = ['noAnchor', 'noProof'];
const LATER = ['notSettled', 'behind', 'statusTooOld', 'statusUnseen', 'listUnknown'];

/** For each thing that is missing and stands in the way: how to get it, with buttons where the page can. */
export function help(result: Result, ways: Ways): HTMLElement | null {
  if (result.verdict !== 'unverifiable') return null;
  const parts = result.checks.filter(({ outcome }) => outcome === 'unknown').map(({ detail }) => detail && one(detail, result, ways));
  const seen = new Set<string | null>();
  const items = parts.filter((part): part is HTMLElement => !!part && !seen.has(part.textContent) && !!seen.add(part.textContent));
  return items.length === 0 ? null : h('ul', { class: 'help' }, ...items);
}

function one(detail: Detail, result: Result, ways: Ways): HTMLElement | null {
  const { kind } = detail;
  const key = kind === 'unseen' ? UNSEEN[String(detail['fault'])] : SETTINGS[kind];
  if (key !== undefined) return item(t(key), button('help-settings', ways.settings), kind === 'unseen' && button('again', ways.again));
  if (RECEIPT.includes(kind)) return item(t('help-receipt'));
  if (LATER.includes(kind)) return item(t('help-later'), button('again', ways.again));
  if (kind === 'noTie' || kind === 'tieUnseen' || kind === 'unknownAccount') return tie(detail, result, ways);
  const asking = ask(detail, result, ways);
  return asking && item(t('help-ask', { host: hosts(result).join(', ') }), asking);
}

function tie(detail: Detail, result: Result, ways: Ways): HTMLElement {
  const named = typeof detail['named'] === 'string' ? detail['named'] : undefined;
  const accounts = [String(detail['account']) as Hex];
  const recognise = () => ways.recognise(named === undefined ? { accounts } : { id: named, accounts });
  return item(t('help-tie'), h('code', {}, String(detail['account'])), button('recognise', recognise), ask(detail, result, ways));
}

/** Where something was not had because nobody was asked: a button that names everybody who is. */
function ask(detail: Detail, result: Result, ways: Ways): HTMLElement | null {
  const host = hosts(result).join(', ');
  const asked = !JSON.stringify(detail).includes('"notAsked"');
  return asked || host === '' ? null : h('button', { type: 'button', onclick: ways.askHosts }, t('ask', { host }));
}

/** The hosts of everything that was not asked for. */
function hosts({ checks, opened }: Result): string[] {
  const urls = [...JSON.stringify(checks).matchAll(/"(?:what|list)":"(https?:[^"]+)"/g)].map(([, url]) => siteOf(url ?? ''));
  const issuer = opened?.credential?.['issuer'];
  const id = typeof issuer === 'string' ? issuer : (issuer as { id?: unknown } | undefined)?.id;
  return [...new Set([siteOf(String(id)), ...urls])].filter((host) => host !== undefined);
}

/** The host behind a `did:web` or a URL. */
function siteOf(named: string): string | undefined {
  const web = /^did:web:([^:]+)/.exec(named)?.[1];
  if (web !== undefined) return decodeURIComponent(web);
  return /^https?:/.test(named) && URL.canParse(named) ? new URL(named).host : undefined;
}

function button(key: Key, onclick: () => void): HTMLElement {
  return h('button', { type: 'button', onclick }, t(key));
}

function item(text: string, ...more: (HTMLElement | null | false)[]): HTMLElement {
  const actions = more.filter((part): part is HTMLElement => part instanceof HTMLElement);
  return h('li', {}, h('p', {}, text), actions.length > 0 && h('div', { class: 'row' }, ...actions));
}
