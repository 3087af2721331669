/** What the server read in a roster: its columns, its rows, and what is wrong with some. */

import { type Child, h } from '../src/dom';
import { number } from '../src/i18n';
import { table } from '../src/parts';
import { date } from './card';
import { choice, field, notice, settled } from './parts';
import type { Good, Heading, Meaning, Roster, Row } from './shapes';
import { named, t } from './words';

const MEANINGS = [
  'id', 'name', 'given name', 'family name', 'second family name', 'sorted name', 'email', 'did', 'awarded', 'expires', 'period', 'term', 'role', 'license number', 'credits',
  'narrative', 'evidence', 'evidence narrative', 'result',
];
/** Milliseconds without a key before it is read again. */
const PAUSE = 500;

/** `again` is called with how the roster is meant from now on. */
export function told(roster: Roster, name: string, meaning: Meaning, again: (meaning: Meaning) => void): HTMLElement[] {
  const { rows, good, headings, faults, sample, notes, fault } = roster;
  const parts = [
    h('p', { class: 'quiet' }, h('code', {}, name)),
    fault === null ? counts(rows, good) : notice(fault, 'bad'),
    ...notes.map((note) => notice(note)),
    headings.length > 0 && section(t('columns'), t('columns-about'), columns(headings, meaning, again)),
    fault === null && reading(meaning, again),
    faults.length > 0 && section(t('faulty'), t('faulty-about', { count: rows - good }), faulty(faults, rows - good)),
    sample.length > 0 && section(t('sample'), t('sample-about'), samples(sample)),
  ];
  return parts.filter((part): part is HTMLElement => part !== false);
}

function counts(rows: number, good: number): HTMLElement {
  const figures = [
    ['rows', rows, ''],
    ['rows-good', good, 'good'],
    ['rows-bad', rows - good, rows > good ? 'bad' : ''],
  ] as const;
  return h('dl', { class: 'numbers' }, ...figures.map(([key, count, kind]) => h('div', { class: kind }, h('dt', {}, t(key)), h('dd', {}, number(count)))));
}

function section(title: string, about: string, content: Child): HTMLElement {
  return h('div', { class: 'part' }, h('h3', {}, title), h('p', { class: 'quiet' }, about), content);
}

function columns(headings: Heading[], meaning: Meaning, again: (meaning: Meaning) => void): HTMLElement {
  const rows = headings.map(({ heading, meaning: field }): Child[] => {
    const isOurs = Object.values(meaning.map).includes(heading);
    const select = meanings(field, isOurs || field === null, () => again({ ...meaning, map: changed(meaning.map, heading, select.value) }));
    select.setAttribute('aria-label', t('column-means', { heading }));
    return [h('strong', {}, heading), select];
  });
  return table(t('columns'), [{ text: t('column') }, { text: t('column-meaning') }], rows);
}

/** A heading that is understood by itself can mean something else, but not nothing. */
function meanings(field: string | null, mayBeNone: boolean, change: () => void): HTMLSelectElement {
  const own = field !== null && !MEANINGS.includes(field) ? [field] : [];
  const options = [...MEANINGS, ...own].map((name): [string, string] => [name, named('meaning', name)]);
  return choice([...(mayBeNone ? [['', t('meaning-none')] as [string, string]] : []), ...options], field ?? '', change);
}

function changed(map: Record<string, string>, heading: string, field: string): Record<string, string> {
  const others = Object.entries(map).filter(([other, of]) => of !== heading && other !== field);
  return Object.fromEntries(field === '' ? others : [...others, [field, heading]]);
}

/** What a file does not say itself. */
function reading(meaning: Meaning, again: (meaning: Meaning) => void): HTMLElement {
  const dates = choice([['', t('dates-refused')], ['day-first', t('dates-day')], ['month-first', t('dates-month')]], meaning.dates, () => again({ ...meaning, dates: dates.value as Meaning['dates'] }));
  const period = h('input', { autocomplete: 'off', oninput: settled(PAUSE, () => again({ ...meaning, period: period.value.trim() })) });
  period.value = meaning.period;
  return h('details', { class: 'part', open: meaning.dates !== '' || meaning.period !== '' }, h('summary', {}, t('reading')), h('div', { class: 'pair' }, field(t('dates'), dates), field(t('period'), period, { hint: t('period-hint') })));
}

function faulty(faults: Row[], count: number): HTMLElement {
  const rows = faults.map(({ line, faults }): Child[] => [
    number(line),
    h('ul', { class: 'plain' }, ...faults.map(({ column, what }) => h('li', {}, column !== null && h('strong', {}, `${column}: `), what))),
  ]);
  const grid = table(t('faulty'), [{ text: t('line'), numeric: true }, { text: t('what-is-wrong') }], rows);
  grid.classList.add('faulty');
  return count > faults.length ? h('div', {}, grid, h('p', { class: 'quiet' }, t('faulty-more', { count: count - faults.length }))) : grid;
}

function samples(sample: Good[]): HTMLElement {
  const heads = ['line', 'learner', 'name', 'email', 'meaning-awarded', 'valid-until'] as const;
  const columns = heads.map((key) => ({ text: t(key), numeric: key === 'line' }));
  const row = (good: Good): Child[] => [number(good.line), good.learner, good.name ?? '–', good.email ?? '–', date(good.awarded) ?? '–', date(good.expires) ?? '–'];
  return table(t('sample'), columns, sample.map(row));
}
