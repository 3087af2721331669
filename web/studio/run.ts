/** Runs: how one goes while it goes, and what came of those before. */

import { type Child, append, h, replace } from '../src/dom';
import { number } from '../src/i18n';
import { table } from '../src/parts';
import { address, get, path } from './api';
import { at, badge, notice } from './parts';
import { to } from './router';
import type { Listed, Run } from './shapes';
import { type Stage, may } from './stage';
import { named, t } from './words';

const STEPS = ['drafted', 'submitted', 'anchored', 'written'] as const;
/** Milliseconds after which a refused connection is tried again. */
const AGAIN = 5000;
/** Rows without a credential that are shown. */
const MOST = 100;

export async function runs({ main, who, signal }: Stage): Promise<void> {
  const { runs } = await get<{ runs: Run[] }>('runs', signal);
  if (may(who, 'issuer')) append(main, h('p', {}, h('a', { class: 'button main', href: to(['issue']) }, t('issue-credentials'))));
  if (runs.length === 0) return append(main, h('p', { class: 'quiet' }, t('runs-none')));
  append(main, h('div', { class: 'sheet' }, h('ul', { class: 'lines', 'aria-label': t('runs') }, ...runs.map(item))));
}

/** A run in a list. */
export function item(run: Run): HTMLElement {
  const link = h('a', { href: to(['runs', String(run.run)]) }, t('run-one', { number: String(run.run) }));
  return h(
    'li',
    {},
    link,
    h('span', {}, run.template),
    h('span', { class: 'quiet' }, t('run-count', { count: run.written })),
    badge(run.state),
    h('span', { class: 'quiet end' }, `${run.who} · `, at(run.asked)),
  );
}

export async function run({ main, place, who, signal }: Stage): Promise<void> {
  const name = place.path[1] ?? '';
  const status = h('p', { class: 'hidden', role: 'status' });
  const sheet = h('section', { class: 'sheet run' });
  let before = '';
  const from = place.query.get('from');
  const draw = (run: Run) => {
    replace(sheet, ...shown(run, may(who, 'issuer')));
    if (isOver(run) && from !== null) void replaced(from, sheet, signal).catch(() => undefined);
    // Told once for each state, not for each credential.
    if (run.state !== before) replace(status, t(`run-is-${run.state}`, { count: run.written }));
    before = run.state;
  };
  const first = await get<Run>(path(['runs', name]), signal);
  const heading = main.querySelector('h1');
  if (heading) replace(heading, t('run-one', { number: String(first.run) }));
  append(main, sheet, status);
  draw(first);
  if (!isOver(first)) listen(name, draw, signal);
}

/**
 * Follows a run until it ends. A broken connection is made again by the browser, and everything is told anew; after a
 * refusal it would give up, so whether there is still something to follow is asked first.
 */
function listen(name: string, draw: (run: Run) => void, signal: AbortSignal): void {
  const source = new EventSource(address(path(['runs', name, 'events'])));
  signal.addEventListener('abort', () => source.close());
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED && !signal.aborted) setTimeout(() => void again(), AGAIN);
  };
  const again = async () => {
    const run = await get<Run>(path(['runs', name]), signal).catch(() => null);
    if (run) draw(run);
    if (!signal.aborted && (run === null || !isOver(run))) listen(name, draw, signal);
  };
  source.addEventListener('run', ({ data }: MessageEvent<string>) => {
    const run = JSON.parse(data) as Run;
    draw(run);
    if (isOver(run)) source.close();
  });
}

/** A run of one that corrects a credential ends with the new one. */
async function replaced(id: string, sheet: Element, signal: AbortSignal): Promise<void> {
  const { supersededBy } = await get<Listed>(path(['credentials', id]), signal);
  if (supersededBy !== null) append(sheet, h('p', {}, h('a', { class: 'button main', href: to(['credentials', supersededBy]) }, t('run-new-one'))));
}

function isOver({ state }: Run): boolean {
  return state === 'done' || state === 'failed';
}

function shown(run: Run, mayIssue: boolean): Child[] {
  const { state, rows, passed = [], written } = run;
  const over = isOver(run);
  const wanted = over ? written : Math.max(rows - passed.length, run.drafted);
  return [
    h('div', { class: 'head' }, h('h2', {}, run.template), badge(state)),
    h('p', { class: 'lead' }, t(`run-is-${state}`, { count: written })),
    run.error !== null && notice(run.error, state === 'failed' ? 'bad' : ''),
    !over && bar(run, wanted),
    steps(run, wanted, over),
    h('p', { class: 'quiet' }, `${run.who} · `, at(run.asked), run.ended !== null && ' – ', run.ended !== null && at(run.ended)),
    passed.length > 0 && failed(run, passed, mayIssue),
    over &&
      h(
        'p',
        { class: 'row' },
        h('a', { class: 'button', href: to(['credentials'], { search: run.template }) }, t('run-credentials')),
        mayIssue && h('a', { class: 'button', href: to(['issue'], { template: run.template }) }, t('run-another')),
      ),
  ];
}

/** Each credential takes four steps; the bar has them all. */
function bar(run: Run, wanted: number): HTMLElement {
  const taken = STEPS.reduce((sum, step) => sum + run[step], 0);
  const all = Math.max(wanted * STEPS.length, 1);
  const part = `${number((100 * taken) / all)} %`;
  return h('div', { class: 'bar' }, h('progress', { max: all, value: taken, 'aria-label': t('run-progress') }), h('span', { class: 'quiet' }, part));
}

function steps(run: Run, wanted: number, over: boolean): HTMLElement {
  const one = (step: (typeof STEPS)[number]) => {
    const done = run[step] >= wanted && wanted > 0;
    const current = !over && !done && run[step] > 0;
    return h(
      'li',
      { class: done ? 'done' : current ? 'current' : undefined },
      h('strong', {}, number(run[step])),
      h('span', {}, t(`step-${step}`)),
      h('span', { class: 'quiet' }, t(`step-${step}-about`)),
    );
  };
  return h('ol', { class: 'course' }, ...STEPS.map(one));
}

function failed({ run, rows, written, ended, failed }: Run, passed: NonNullable<Run['passed']>, mayIssue: boolean): HTMLElement {
  const count = ended === null ? passed.length : Math.max(rows - written, passed.length);

  const columns = [{ text: t('line'), numeric: true }, { text: t('kind') }, { text: t('what-is-wrong') }];
  const grid = table(
    t('passed'),
    columns,
    passed.slice(0, MOST).map(({ line, kind, why }) => [number(line), h('span', { class: 'badge' }, named('passed', kind)), why]),
  );
  grid.classList.add('faulty');
  return h(
    'div',
    { class: 'part' },
    h('h3', {}, t('passed-count', { count })),
    h('p', { class: 'quiet' }, t('passed-about')),
    grid,
    failed &&
      mayIssue &&
      h('p', {}, h('a', { class: 'button', href: address(path(['runs', String(run), 'failed.csv'])), download: '' }, t('passed-download'))),
  );
}
