/** How an issuer's status lists came to be what they are. */

import { h } from '../src/dom';
import { moment, number } from '../src/i18n';
import { type Purpose, type Update, type Updates, updates } from './api';
import { notice, short, table, when } from './parts';
import { plot } from './plot';
import { t } from './words';

const PURPOSES: Purpose[] = ['revocation', 'suspension'];

interface Told extends Update {
  purpose: Purpose;
}

/** A plot and a table of the newest updates of both purposes. */
export async function statusHistory(issuer: string): Promise<HTMLElement[]> {
  let pages: Updates[];
  try {
    pages = await Promise.all(PURPOSES.map((purpose) => updates(issuer, purpose)));
  } catch (error) {
    return [notice(t('status-unread', { detail: (error as Error).message }))];
  }
  const all = pages.flatMap((page, k) => page.updates.map((update): Told => ({ ...update, purpose: PURPOSES[k] ?? 'revocation' })));
  if (all.length === 0) return [h('p', {}, t('status-none'))];
  all.sort((a, b) => b.time - a.time || b.epoch - a.epoch);
  const cut = pages.filter((page) => page.since > 1).map((page) => h('p', { class: 'quiet' }, t('status-since', { since: page.since })));
  return [plotted([...all].reverse()), h('div', { class: 'sheet after' }, tabled(all)), ...cut];
}

function plotted(all: Told[]): HTMLElement {
  const bars = all.map((update) => ({
    label: String(update.epoch),
    name: `${t(update.purpose)} ${update.epoch}`,
    values: PURPOSES.map((purpose) => (purpose === update.purpose ? update.toggled : 0)),
  }));
  const series = PURPOSES.map((purpose) => t(purpose).toLowerCase());
  return plot({ title: t('plot-updates'), x: t('axis-update'), y: t('axis-entries'), series, bars, say: (value) => number(value) });
}

function tabled(all: Told[]): HTMLElement {
  const columns = [
    { text: t('purpose') },
    { text: t('update'), numeric: true },
    { text: t('toggled'), numeric: true },
    { text: t('state') },
    { text: t('time') },
    { text: t('block'), numeric: true },
    { text: t('gas'), numeric: true },
    { text: t('transaction') },
  ];
  const rows = all.map((update) => [
    t(update.purpose),
    number(update.epoch),
    update.toggled === null ? t('unreadable') : number(update.toggled),
    h('span', { class: `badge ${update.settled ? 'good' : 'under-way'}` }, t(update.settled ? 'state-final' : 'state-included')),
    when(new Date(update.time * 1000).toISOString(), moment),
    number(update.block),
    update.cost === undefined ? '–' : number(update.cost.gasUsed),
    short(update.transaction),
  ]);
  return table(t('status'), columns, rows);
}
