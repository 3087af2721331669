/** A list of tables in a form: one may be added, and each be taken away. */

import { h, replace } from '../src/dom';
import { list } from './draft';
import { type Table, isTable } from './toml';
import { t } from './words';

interface Of {
  table: Table;
  member: string;
  /** What the button says. */
  add: string;
}

/** `fields` draws one of them, which stands `at` this path. */
export function rows(title: string, hint: string, { table, member, add }: Of, fields: (one: Table, at: string, changed: () => void) => HTMLElement[], changed: () => void): HTMLElement {
  const all = list(table[member]).filter(isTable);
  const place = h('div', { class: 'rows' });
  const write = () => {
    if (all.length > 0) table[member] = all;
    else delete table[member];
    changed();
  };
  const draw = () => replace(place, ...all.map(one));
  const one = (entry: Table, k: number) => {
    const drop = () => {
      all.splice(k, 1);
      draw();
      write();
      more.focus();
    };
    const name = t('f-row', { of: title, number: k + 1 });
    const away = h('button', { type: 'button', class: 'quiet-button', 'aria-label': `${t('f-row-remove')}: ${name}`, onclick: drop }, t('f-row-remove'));
    return h('div', { class: 'one-row', role: 'group', 'aria-label': name }, ...fields(entry, `${member}[${k}]`, write), away);
  };
  const another = () => {
    all.push({});
    draw();
    write();
    place.lastElementChild?.querySelector('input')?.focus();
  };
  const more = h('button', { type: 'button', onclick: another }, add);
  draw();
  return h('fieldset', {}, h('legend', {}, title), h('p', { class: 'hint' }, hint), place, more);
}
