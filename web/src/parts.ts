/** Small parts that pages share. */

import { type Child, h } from './dom';
import { moment, translator } from './i18n';
import en from './words/en.json';
import es from './words/es.json';

const t = translator({ en, es });

/** The names of chains that people know by name. */
const CHAINS: Record<string, string> = {
  'eip155:1': 'Ethereum',
  'eip155:10': 'OP Mainnet',
  'eip155:100': 'Gnosis',
  'eip155:137': 'Polygon',
  'eip155:8453': 'Base',
  'eip155:42161': 'Arbitrum One',
  'eip155:11155111': 'Sepolia',
};
const DEVELOPMENT = 'eip155:31337';

export function chain(id: string): string {
  const name = id === DEVELOPMENT ? t('development-chain') : CHAINS[id];
  return name === undefined ? id : `${name} (${id})`;
}

/** A hash or an account in the width of a table; the whole of it where the pointer rests. */
export function short(hex: string): HTMLElement {
  return h('code', { title: hex }, hex.length > 16 ? `${hex.slice(0, 8)}…${hex.slice(-6)}` : hex);
}

export function when(iso: string, style: (at: Date) => string = moment): HTMLElement {
  const at = new Date(iso);
  return h('time', { datetime: iso, title: iso }, style(at));
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
