/** Who did what, and what came of it: for administrators. */

import { append, h, replace } from '../src/dom';
import { get, path } from './api';
import { act, at } from './parts';
import type { Deed } from './shapes';
import type { Stage } from './stage';
import { named, t } from './words';

interface Page {
  entries: Deed[];
  next: number | null;
}

export async function audit({ main, signal }: Stage): Promise<void> {
  const body = h('tbody');
  const foot = h('div', { class: 'more' });
  const heads = (['time', 'who', 'what', 'on', 'outcome'] as const).map((key) => h('th', { scope: 'col' }, t(`audit-${key}`)));
  const grid = h('table', {}, h('caption', { class: 'hidden' }, t('audit')), h('thead', {}, h('tr', {}, ...heads)), body);
  append(main, h('p', { class: 'lead' }, t('audit-lead')), h('div', { class: 'sheet' }, h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('audit') }, grid)), foot);
  const more = async (before?: number) => {
    const { entries, next } = await get<Page>(path(['audit'], { before }), signal);
    append(body, ...entries.map(row));
    replace(foot, next !== null && act(t('more'), () => more(next)));
  };
  await more();
}

function row({ at: when, who, what, on, outcome }: Deed): HTMLElement {
  const kind = outcome === null ? 'under-way' : outcome === 'done' ? 'good' : 'bad';
  return h(
    'tr',
    {},
    h('td', {}, at(when)),
    h('td', {}, h('strong', {}, who)),
    h('td', {}, named('deed', what)),
    h('td', { class: 'wrap' }, on),
    h('td', {}, h('span', { class: `badge ${kind}` }, outcome === null ? t('outcome-open') : named('outcome', outcome))),
  );
}
