/** An issuer: figures, plots, batches, status history, and what happens now. */

import { type Child, h, replace } from '../src/dom';
import { day, number, span } from '../src/i18n';
import { type Batch, type History, Refusal, batches, history } from './api';
import { live } from './live';
import { badge, batchPage, gasOf, notice, short, table, waits, when } from './parts';
import { type Bar, plot } from './plot';
import { statusHistory } from './status';
import { t } from './words';

/** Batches that the plots show, and that the table shows at first. */
const PLOTTED = 60;
const LISTED = 12;
const MORE = 50;
/** Events come in bursts; after the last one the figures are read anew. */
const QUIET = 400;

export async function issuer(main: HTMLElement, address: string): Promise<void> {
  main.append(h('p', {}, h('code', {}, address)));
  const parts = { figures: h('div'), plots: h('div', { class: 'plots' }), list: h('div'), status: h('div') };
  const read = async () => {
    const [told, page] = await Promise.all([history(address), batches(address, PLOTTED)]);
    renew(parts.figures, figures(told));
    const sealed = page.batches.filter((batch) => batch.root !== undefined).reverse();
    renew(parts.plots, perDay(told), sizes(sealed), gas(sealed), untilFinal(sealed));
    renew(parts.list, ...listed(address, page.batches));
    renew(parts.status, ...(await statusHistory(address)));
  };
  try {
    await read();
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 404)) throw error;
    main.append(notice(t('issuer-unknown')));
    return;
  }
  let waiting = 0;
  const moved = () => {
    clearTimeout(waiting);
    waiting = window.setTimeout(() => void read().catch(() => undefined), QUIET);
  };
  main.append(
    h('h2', { class: 'hidden' }, t('figures')),
    parts.figures,
    live([address], moved),
    h('h2', {}, t('plots')),
    parts.plots,
    h('h2', {}, t('batches')),
    parts.list,
    h('h2', {}, t('status')),
    h('p', { class: 'quiet' }, t('status-lead')),
    parts.status,
  );
}

/**
 * Shows a part anew. Whoever stands in it with the keyboard is not thrown out, tables that were opened stay open, and
 * older batches that were asked for stay listed.
 */
function renew(place: HTMLElement, ...children: Child[]): void {
  if (place.contains(document.activeElement) || place.querySelector('[data-longer]') !== null) return;
  const open = [...place.querySelectorAll('details')].map((details) => details.open);
  replace(place, ...children);
  place.querySelectorAll('details').forEach((details, k) => (details.open = open[k] ?? false));
}

function figures({ days }: History): HTMLElement {
  const all = (count: (of: History['days'][number]) => number) => days.reduce((sum, of) => sum + count(of), 0);
  const credentials = all((of) => of.credentials);
  const costed = all((of) => (of.costed === of.batches ? of.credentials : 0));
  const gas = all((of) => (of.costed === of.batches ? of.gasUsed : 0));
  const waited = days.flatMap((of) => of.secondsToFinal ?? []).sort((a, b) => a - b);
  const median = waited[Math.floor(waited.length / 2)];
  const told: [string, string][] = [
    [t('credentials-30'), number(credentials)],
    [t('batches-30'), number(all((of) => of.batches))],
    [t('gas-each'), costed === 0 ? '–' : number(gas / costed, gas / costed < 10 ? 2 : 0)],
    [t('final-median'), median === undefined ? '–' : span(median)],
  ];
  return h('dl', { class: 'numbers' }, ...told.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

function perDay({ from, to, days }: History): HTMLElement {
  const known = new Map(days.map((of) => [of.day, of.credentials]));
  const bars: Bar[] = [];
  for (let at = new Date(`${from}T00:00:00Z`); at <= new Date(`${to}T00:00:00Z`); at = new Date(at.getTime() + 86_400_000)) {
    bars.push({ label: day(at, 'short'), name: day(at), values: [known.get(at.toISOString().slice(0, 10)) ?? 0] });
  }
  const say = (value: number) => t('credentials-count', { count: value });
  // Days of nothing alone are no plot.
  const shown = days.length > 0 ? bars : [];
  return plot({ title: t('plot-days'), x: t('axis-day'), y: t('axis-credentials'), series: [t('axis-credentials')], bars: shown, say });
}

function perBatch(sealed: Batch[], values: (batch: Batch) => (number | null)[]): Bar[] {
  return sealed.map((batch) => {
    const number = String(batch.batch);
    return { label: number, name: t('live-batch', { number }), values: values(batch) };
  });
}

function sizes(sealed: Batch[]): HTMLElement {
  const say = (value: number) => t('credentials-count', { count: value });
  const bars = perBatch(sealed, (batch) => [batch.size]);
  return plot({ title: t('plot-sizes'), x: t('axis-batch'), y: t('axis-credentials'), series: [t('axis-credentials')], bars, say });
}

function gas(sealed: Batch[]): HTMLElement {
  const say = (value: number) => `${number(value)} ${t('axis-gas').toLowerCase()}`;
  const bars = perBatch(sealed, (batch) => [gasOf(batch)]);
  return plot({ title: t('plot-gas'), x: t('axis-batch'), y: t('axis-gas'), series: [t('axis-gas')], bars, say });
}

function untilFinal(sealed: Batch[]): HTMLElement {
  const series = [t('until-block'), t('until-final')];
  return plot({ title: t('plot-waits'), x: t('axis-batch'), y: t('axis-seconds'), series, bars: perBatch(sealed, waits), say: span });
}

/** A table of the newest batches, and a button for the older ones. */
function listed(address: string, newest: Batch[]): HTMLElement[] {
  const shown = newest.slice(0, LISTED);
  if (shown.length === 0) return [h('p', { class: 'quiet' }, t('batches-none'))];
  const place = h('div', { class: 'sheet' }, batchTable(shown));
  const older = h('button', { type: 'button' }, t('older'));
  const more = () => shown.length < newest.length || (shown.at(-1)?.batch ?? 1) > 1;
  older.addEventListener('click', () => {
    const before = shown.at(-1)?.batch;
    void batches(address, MORE, before).then(
      (page) => {
        shown.push(...page.batches);
        replace(place, batchTable(shown));
        place.dataset['longer'] = 'yes';
        older.hidden = page.next === undefined;
      },
      () => undefined,
    );
  });
  older.hidden = !more();
  return [place, h('p', { class: 'after' }, older)];
}

function batchTable(shown: Batch[]): HTMLElement {
  const columns = [
    { text: t('batch'), numeric: true },
    { text: t('state') },
    { text: t('credentials'), numeric: true },
    { text: t('sealed-at') },
    { text: t('block'), numeric: true },
    { text: t('gas'), numeric: true },
    { text: t('root') },
  ];
  const rows = shown.map((batch) => {
    const spent = gasOf(batch);
    return [
      batch.root === undefined ? String(batch.batch) : h('a', { href: batchPage(batch.root) }, String(batch.batch)),
      badge(batch.state),
      number(batch.size),
      batch.sealedAt === undefined ? '' : when(batch.sealedAt),
      batch.anchor === undefined ? '' : number(batch.anchor.block),
      spent === null ? '–' : number(spent),
      batch.root === undefined ? '' : short(batch.root),
    ];
  });
  return table(t('batches'), columns, rows);
}
