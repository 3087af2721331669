/** Small parts that several of these pages show. */

import { type Child, h } from '../src/dom';
import { moment } from '../src/i18n';
import type { Batch, Stage } from './api';
import { t } from './words';

/** The names of chains that people know by name. */
const CHAINS: Record<string, string> = {
  'eip155:1': 'Ethereum',
  'eip155:10': 'OP Mainnet',
  'eip155:100': 'Gnosis',
  'eip155:137': 'Polygon',
  'eip155:8453': 'Base',
  'eip155:42161': 'Arbitrum One',
  'eip155:11155111': 'Sepolia',
  'eip155:31337': t('development-chain'),
};

export function chain(id: string): string {
  const name = CHAINS[id];
  return name === undefined ? id : `${name} (${id})`;
}

export function issuerPage(address: string): string {
  return `/explore/issuers/${address}`;
}

export function batchPage(root: string): string {
  return `/explore/batches/${root}`;
}

/** A hash or an account in the width of a table; the whole of it where the pointer rests. */
export function short(hex: string): HTMLElement {
  return h('code', { title: hex }, hex.length > 16 ? `${hex.slice(0, 8)}…${hex.slice(-6)}` : hex);
}

export function when(iso: string, style: (at: Date) => string = moment): HTMLElement {
  const at = new Date(iso);
  return h('time', { datetime: iso, title: iso }, style(at));
}

export function badge(state: Stage): HTMLElement {
  const kind = state === 'final' ? 'good' : state === 'open' || state === 'sealed' ? '' : 'under-way';
  return h('span', { class: `badge ${kind}` }, t(`state-${state}`));
}

/** A batch's share of the gas of the transaction that carried it. */
export function gasOf({ cost }: Batch): number | null {
  return cost === undefined ? null : Math.round(cost.gasUsed / Math.max(cost.batches, 1));
}

/** Seconds from sealed to in a block, and on to final. */
export function waits({ sealedAt, anchor, finalAt }: Batch): [number | null, number | null] {
  const at = (iso: string | undefined) => (iso === undefined ? null : Date.parse(iso) / 1000);
  const [sealed, block, final] = [at(sealedAt), at(anchor?.time), at(finalAt)];
  // A block's time may be a little before the clock of the node: that is no negative wait.
  const between = (from: number | null, to: number | null) => (from === null || to === null ? null : Math.max(to - from, 0));
  return [between(sealed, block), between(block, final)];
}

export interface Column {
  text: string;
  numeric?: boolean;
}

/** A table that scrolls sideways where it is too wide, also by keyboard. */
export function table(caption: string, columns: Column[], rows: Child[][]): HTMLElement {
  const kind = (k: number) => (columns[k]?.numeric ? 'number' : undefined);
  const heads = columns.map(({ text }, k) => h('th', { scope: 'col', class: kind(k) }, text));
  const body = rows.map((cells) => h('tr', {}, ...cells.map((cell, k) => h('td', { class: kind(k) }, cell))));
  const grid = h('table', {}, h('caption', { class: 'hidden' }, caption), h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...body));
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, grid);
}

export function facts(pairs: [string, Child][]): HTMLElement {
  const told = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return h('dl', { class: 'facts' }, ...told.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

export function notice(text: string, kind = ''): HTMLElement {
  return h('p', { class: `notice ${kind}` }, text);
}
