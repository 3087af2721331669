/** Making a portfolio, and another one of it. It is sealed here; the server sees no title and not whose credentials are in it. */

import { h } from '../src/dom';
import { draw } from './code';
import { working } from './held';
import { type Kept, all, keep } from './keep';
import type { Portfolio } from './portfolio-content';
import { seal } from './sealed';
import { type Owned, create, publish } from './server';
import { t } from './words';

/** `parent`: a claimed page of the learner's. `done` gets the new page. */
export function portfolioForm(parent: Owned, before: Portfolio, label: 'portfolio-make' | 'portfolio-again', done: (page: Kept) => Promise<void>): HTMLElement {
  const title = h('input', { id: 'portfolio-title', maxlength: 200, value: before.title, autocomplete: 'off' });
  const about = h('textarea', { id: 'portfolio-about', maxlength: 4000, rows: 4 }, before.about);
  const pages = all().filter(({ kind }) => kind === 'credential');
  const chosen = (id: string) => before.credentials.some((entry) => entry.id === id);
  const boxes = pages.map((page) => ({ page, input: h('input', { type: 'checkbox', checked: chosen(page.id) }) }));
  const make = async () => {
    const picked = boxes.filter(({ input }) => input.checked).map(({ page }) => page);
    const content: Portfolio = { title: title.value.trim(), about: about.value.trim(), credentials: picked.map(({ id, key }) => ({ id, key })) };
    const page: Kept = { id: draw(), key: draw(), owner: draw(), kind: 'portfolio', title: content.title, issuer: '', parent };
    await create(parent, page, 'portfolio', await seal(JSON.stringify(content), page));
    keep(page);
    for (const one of [...picked, page]) await publish(one, true);
    await done(page);
  };
  return h(
    'div',
    { class: 'form' },
    h('div', {}, h('label', { for: 'portfolio-title' }, t('portfolio-title')), title),
    h('div', {}, h('label', { for: 'portfolio-about' }, t('portfolio-words')), about),
    h('fieldset', {}, h('legend', {}, t('portfolio-which')), ...boxes.map(({ page, input }) => h('label', { class: 'box' }, input, h('span', {}, named(page))))),
    h('p', { class: 'quiet' }, t('portfolio-publishes')),
    working(label, make, 'main'),
  );
}

function named({ title, issuer, id }: Kept): string {
  return [title || id, issuer].filter(Boolean).join(' · ');
}
