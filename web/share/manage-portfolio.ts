/** A portfolio in its learner's hands. */

import { h, replace } from '../src/dom';
import { type Held, redrawn } from './held';
import type { Kept } from './keep';
import type { Portfolio } from './portfolio-content';
import { portfolioForm } from './portfolio-form';
import { seal } from './sealed';
import { type State, rewrite, state } from './server';
import type { Stage } from './stage';
import { deletion, own } from './tools/own';
import { share } from './tools/share';
import { sentence } from './trouble';
import { t } from './words';

export function managePortfolio(stage: Stage, page: Kept, now: State, content: Portfolio, open: (page: Kept) => void): void {
  const sharing = h('div', {});
  const held: Pick<Held, 'page' | 'state' | 'act'> = { page, state: now, act };
  const gone = () => stage.show(h('h1', {}, t('deleted')), h('p', { class: 'lead' }, t('deleted-portfolio')));
  draw();
  stage.show(
    h('h1', {}, content.title || t('title-p')),
    sharing,
    h('section', {}, h('h2', {}, t('portfolio-change')), portfolioForm(content, 'portfolio-save', changed)),
    h('section', {}, h('h2', {}, t('g-own')), ...own(held), ...deletion(held, gone, 'delete-portfolio-about')),
  );

  function draw(): void {
    replace(sharing, share(held, content.title));
  }

  async function changed(next: Portfolio): Promise<void> {
    await rewrite(page, await seal(JSON.stringify(next), page));
    open(page);
  }

  async function act(work: () => Promise<void>, said: HTMLElement): Promise<void> {
    try {
      await work();
      held.state = await state(page);
      redrawn(draw);
    } catch (fault) {
      replace(said, sentence(fault));
    }
  }
}
