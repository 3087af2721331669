/** Credentials shown together. */

import { type Child, h } from '../../src/dom';
import type { Held } from '../held';
import { type Kept, all } from '../keep';
import { portfolioForm } from '../portfolio-form';
import { t } from '../words';

export function portfolioTool({ page }: Held, open: (page: Kept) => void): Child[] {
  const { parent = { id: page.id, owner: page.owner } } = page;
  const before = { title: '', about: '', credentials: [{ id: page.id, key: page.key }] };
  const made = all().filter(({ kind }) => kind === 'portfolio');
  const links = made.map((one) => h('li', {}, h('a', { href: `/manage/${one.id}` }, one.title || t('title-p'))));
  return [
    h('p', {}, t('portfolio-about')),
    links.length > 0 && h('p', {}, t('portfolio-made')),
    links.length > 0 && h('ul', {}, ...links),
    portfolioForm(parent, before, 'portfolio-make', async (made) => open(made)),
  ];
}
