/** Credentials shown together. */

import { type Child, h } from '../../src/dom';
import { draw } from '../code';
import type { Held } from '../held';
import { type Kept, all, keep } from '../keep';
import type { Portfolio } from '../portfolio-content';
import { portfolioForm } from '../portfolio-form';
import { seal } from '../sealed';
import { create, publish } from '../server';
import { t } from '../words';

export function portfolioTool({ page }: Held, open: (page: Kept) => void): Child[] {
  const { parent = { id: page.id, owner: page.owner } } = page;
  const before = { title: '', about: '', credentials: [{ id: page.id, key: page.key }] };
  const links = all().flatMap(({ kind, id, title }) =>
    kind === 'portfolio' ? [h('li', {}, h('a', { href: `/manage/${id}` }, title || t('title-p')))] : [],
  );
  const make = async (content: Portfolio) => {
    const made: Kept = { id: draw(), key: draw(), owner: draw(), kind: 'portfolio', title: content.title, issuer: '', parent };
    await create(parent, made, 'portfolio', await seal(JSON.stringify(content), made));
    keep(made);
    await publish(made, true);
    open(made);
  };
  return [
    h('p', {}, t('portfolio-about')),
    links.length > 0 && h('p', {}, t('portfolio-made')),
    links.length > 0 && h('ul', {}, ...links),
    portfolioForm(before, 'portfolio-make', make),
  ];
}
