/** What goes into a portfolio. It is sealed here: the server sees no title, and not whose credentials are in it. */

import { h } from '../src/dom';
import { working } from './held';
import { type Kept, all } from './keep';
import type { Portfolio } from './portfolio-content';
import { publish } from './server';
import { t } from './words';

/** `done` gets what was filled in, once the credentials in it can be opened. */
export function portfolioForm(before: Portfolio, label: 'portfolio-make' | 'portfolio-save', done: (content: Portfolio) => Promise<void>): HTMLElement {
  const title = h('input', { id: 'portfolio-title', maxlength: 200, value: before.title, autocomplete: 'off' });
  const about = h('textarea', { id: 'portfolio-about', maxlength: 4000, rows: 4 }, before.about);
  const boxes = choices(before).map((page) => {
    const checked = before.credentials.some(({ id }) => id === page.id);
    return { page, input: h('input', { type: 'checkbox', checked }) };
  });
  const make = async () => {
    const picked = boxes.filter(({ input }) => input.checked).map(({ page }) => page);
    for (const page of picked) if (page.owner !== undefined) await publish({ id: page.id, owner: page.owner }, true);
    await done({ title: title.value.trim(), about: about.value.trim(), credentials: picked.map(({ id, key }) => ({ id, key })) });
  };
  return h(
    'div',
    { class: 'form' },
    h('div', {}, h('label', { for: 'portfolio-title' }, t('portfolio-title')), title),
    h('div', {}, h('label', { for: 'portfolio-about' }, t('portfolio-words')), about),
    h('fieldset', {}, h('legend', {}, t('portfolio-which')), ...boxes.map(({ page, input }) => h('label', { class: 'box' }, input, h('span', {}, page.name)))),
    h('p', { class: 'quiet' }, t('portfolio-publishes')),
    working(label, make, 'main'),
  );
}

interface Choice {
  id: string;
  key: string;
  /** Nothing for a page that another browser of the learner's knows. */
  owner?: string;
  name: string;
}

/** What this browser knows, and what is in the portfolio already. */
function choices(before: Portfolio): Choice[] {
  const known = all().filter(({ kind }) => kind === 'credential');
  const others = before.credentials.filter(({ id }) => known.every((page) => page.id !== id));
  return [...known.map((page) => ({ ...page, name: named(page) })), ...others.map((entry) => ({ ...entry, name: t('portfolio-other') }))];
}

function named({ title, issuer, id }: Kept): string {
  return [title || id, issuer].filter(Boolean).join(' · ');
}
