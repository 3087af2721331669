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
  const list = h('ol', { class: 'lines deeds', 'aria-label': t('audit') });
  const foot = h('div', { class: 'more' });
  append(main, h('p', { class: 'lead' }, t('audit-lead')), h('div', { class: 'sheet' }, list, foot));
  const more = async (before?: number) => {
    const { entries, next } = await get<Page>(path(['audit'], { before }), signal);
    append(list, ...entries.map(item));
    replace(foot, next !== null && act(t('more'), () => more(next)));
  };
  await more();
}

function item({ at: when, who, what, on, outcome }: Deed): HTMLElement {
  const kind = outcome === null ? 'under-way' : outcome.startsWith('done') ? 'good' : 'bad';
  const came = outcome === null ? t('outcome-open') : named('outcome', outcome);
  return h('li', {}, at(when), h('strong', {}, who), h('span', {}, named('deed', what)), h('code', {}, on), h('span', { class: `badge ${kind}` }, came));
}
