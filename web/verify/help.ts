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
  if (kind === 'noTie' || kind === 'tieUnseen' || kind === 'unknownAccount') return tie(detail, ways);
  if (notAsked(detail)) return item(t('help-ask', { host: hostOf(result) }), ask(hostOf(result), ways));
  return null;
}

function tie(detail: Detail, ways: Ways): HTMLElement {
  const named = typeof detail['named'] === 'string' ? detail['named'] : undefined;
  const accounts = [String(detail['account']) as Hex];
  const recognise = () => ways.recognise(named === undefined ? { accounts } : { id: named, accounts });
  const host = named && siteOf(named);
  const asking = host && notAsked(detail) && ask(host, ways);
  return item(t('help-tie'), h('code', {}, String(detail['account'])), button('recognise', recognise), asking);
}

/** Whether something was not had because nobody was asked. */
function notAsked(detail: Detail): boolean {
  return JSON.stringify(detail).includes('"notAsked"');
}

function ask(host: string, ways: Ways): HTMLElement {
  return h('button', { type: 'button', onclick: ways.askHosts }, t('ask', { host }));
}

/** The host behind a `did:web` or a URL. */
function siteOf(named: string): string | undefined {
  const web = /^did:web:([^:]+)/.exec(named)?.[1];
  if (web !== undefined) return decodeURIComponent(web);
  return /^https?:/.test(named) && URL.canParse(named) ? new URL(named).host : undefined;
}

function hostOf({ opened }: Result): string {
  const issuer = opened?.credential?.['issuer'];
  const id = typeof issuer === 'string' ? issuer : (issuer as { id?: unknown } | undefined)?.id;
  return (typeof id === 'string' && siteOf(id)) || String(id ?? '');
}

function button(key: Key, onclick: () => void): HTMLElement {
  return h('button', { type: 'button', onclick }, t(key));
}

function item(text: string, ...more: (HTMLElement | '' | false | undefined)[]): HTMLElement {
  const actions = more.filter((part): part is HTMLElement => part instanceof HTMLElement);
  return h('li', {}, h('p', {}, text), actions.length > 0 && h('div', { class: 'row' }, ...actions));
}
