/** What the server read in a roster: its columns, its rows, and what is wrong with some. */

import { type Child, h } from '../src/dom';
import { number } from '../src/i18n';
import { table } from '../src/parts';
import { choice } from './parts';
import type { Heading, Roster, Row } from './shapes';
import { named, t } from './words';

const MEANINGS = [
  'id', 'name', 'given name', 'family name', 'second family name', 'sorted name', 'email', 'did', 'awarded', 'expires', 'period', 'term', 'role', 'license number', 'credits',
  'narrative', 'evidence', 'evidence narrative', 'result',
];
/** Rows with faults that are shown. */
const MOST = 200;

/** `map` is what was changed so far: heading by field. `remap` is called with what it becomes. */
export function told(roster: Roster, name: string, map: Record<string, string>, remap: (map: Record<string, string>) => void): HTMLElement[] {
  const { rows, good, headings, faults, sample, notes } = roster;
  return [
    counts([['rows', rows], ['rows-good', good], ['rows-bad', rows - good]]),
    h('p', { class: 'quiet' }, h('code', {}, name)),
    ...notes.map((note) => h('p', { class: 'notice' }, note)),
    headings.length > 0 && section(t('columns'), t('columns-about'), columns(headings, sample, map, remap)),
    faults.length > 0 && section(t('faulty'), t('faulty-about', { count: rows - good }), faulty(faults)),
  ].filter((part): part is HTMLElement => part !== false);
}

function counts(figures: ['rows' | 'rows-good' | 'rows-bad', number][]): HTMLElement {
  return h('dl', { class: 'numbers' }, ...figures.map(([key, count]) => h('div', { class: key }, h('dt', {}, t(key)), h('dd', {}, number(count)))));
}

function section(title: string, about: string, content: Child): HTMLElement {
  return h('div', { class: 'part' }, h('h3', {}, title), h('p', { class: 'quiet' }, about), content);
}

function columns(headings: Heading[], sample: Roster['sample'], map: Record<string, string>, remap: (map: Record<string, string>) => void): HTMLElement {
  const rows = headings.map(({ heading, meaning }): Child[] => {
    const select = meanings(meaning, () => remap(changed(map, heading, meaning, select.value)));
    select.setAttribute('aria-label', t('column-means', { heading }));
    return [h('strong', {}, heading), select, h('span', { class: 'quiet clipped-line' }, example(sample, heading))];
  });
  return table(t('columns'), [{ text: t('column') }, { text: t('column-meaning') }, { text: t('column-example') }], rows);
}

function meanings(meaning: string | null, change: () => void): HTMLSelectElement {
  const own = meaning !== null && !MEANINGS.includes(meaning) ? [meaning] : [];
  const options = [...MEANINGS, ...own].map((name): [string, string] => [name, named('meaning', name)]);
  return choice([['', t('meaning-none')], ...options], meaning ?? '', change);
}

function changed(map: Record<string, string>, heading: string, before: string | null, now: string): Record<string, string> {
  const others = Object.entries(map).filter(([field, of]) => of !== heading && field !== now && field !== before);
  return Object.fromEntries(now === '' ? others : [...others, [now, heading]]);
}

function example(sample: Roster['sample'], heading: string): string {
  return sample.map((row) => row[heading]).filter((cell) => typeof cell === 'string' && cell !== '').slice(0, 2).join(' · ');
}

function faulty(faults: Row[]): HTMLElement {
  const rows = faults.slice(0, MOST).map(({ line, faults }): Child[] => [
    number(line),
    h('ul', { class: 'plain' }, ...faults.map(({ column, what }) => h('li', {}, column !== null && h('strong', {}, `${column}: `), what))),
  ]);
  const grid = table(t('faulty'), [{ text: t('line'), numeric: true }, { text: t('what-is-wrong') }], rows);
  grid.classList.add('faulty');
  return faults.length > MOST ? h('div', {}, grid, h('p', { class: 'quiet' }, t('faulty-more', { count: faults.length - MOST }))) : grid;
}
