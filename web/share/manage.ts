/** A learner's own page: what the credential says, and everything that can be made of it. */

import { h, replace } from '../src/dom';
import { VERDICTS, sign } from '../src/sign';
import { card } from '../verify/show';
import { why } from '../verify/tell';
import { checks } from '../verify/verdict';
import { t as v } from '../verify/words';
import { type Credential, check, read, trust } from './checking';
import { type Held, copied, ownLink, redrawn } from './held';
import { type Kept, find, keep } from './keep';
import { managePortfolio } from './manage-portfolio';
import { shownPicture } from './picture';
import { parsePortfolio } from './portfolio-content';
import { open } from './sealed';
import { part, state } from './server';
import type { Stage } from './stage';
import { toolbox } from './toolbox';
import { share } from './tools/share';
import { sentence } from './trouble';
import { t } from './words';

/** `fresh`: it was claimed a moment ago. */
export function manage(stage: Stage, page: Kept, fresh: boolean): void {
  void stage.attempt(async () => {
    stage.wait(t('opening'));
    const now = await state(page);
    const text = await open(await part(page, now.kind), page);
    if (now.kind === 'portfolio') {
      const content = parsePortfolio(text);
      const known = remember({ ...page, kind: 'portfolio', title: content.title });
      return managePortfolio(stage, known, now, content, (next) => manage(stage, next, false));
    }
    const [credential, trusted] = await Promise.all([read(text), trust()]);
    const { title, issuer } = credential.shown;
    const known = remember({ ...page, title, issuer: issuer.name ?? issuer.id ?? '' });
    show(stage, { page: known, state: now, credential, trust: trusted, act: () => Promise.resolve() }, fresh);
  });
}

/** In the address stands no more than is needed: whoever copies it gives nothing away. */
function remember(page: Kept): Kept {
  history.replaceState(null, '', keep(page) ? `/manage/${page.id}` : ownLink(page));
  return page;
}

function show(stage: Stage, given: Held, fresh: boolean): void {
  const { page, credential } = given;
  const held: Held = { ...given, act };
  const sharing = h('div', {});
  const tools = toolbox(() => held, {
    open: (next) => manage(stage, next, false),
    gone: () => stage.show(h('h1', {}, t('deleted')), h('p', { class: 'lead' }, t('deleted-about'))),
  });
  const verdict = h('div', { class: 'strip' }, h('p', { role: 'status' }, v('verifying')));
  const whole = h('div', { class: 'whole' });
  draw();
  stage.show(
    fresh && welcome(page),
    head(credential, verdict),
    h('div', { class: 'mine' }, h('div', {}, sharing, tools.element), whole),
  );
  if (fresh) document.getElementById('welcome')?.focus();
  void check(credential.item, held.trust.settings).then(
    () => judged(credential, verdict, whole),
    (fault: unknown) => replace(verdict, h('p', { role: 'status' }, sentence(fault))),
  );

  function draw(): void {
    replace(sharing, share(held, credential.shown.title));
    tools.draw();
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

function welcome(page: Kept): HTMLElement {
  return h(
    'section',
    { class: 'sheet fresh', 'aria-labelledby': 'welcome' },
    h('h2', { id: 'welcome', tabindex: -1 }, t('fresh')),
    h('p', {}, t(find(page.id) ? 'fresh-about' : 'fresh-forgotten')),
    copied(t('own-link'), ownLink(page)),
  );
}

function head({ shown }: Credential, verdict: HTMLElement): HTMLElement {
  return h(
    'header',
    { class: 'mine-head' },
    h('img', { src: shownPicture(shown), alt: '', class: 'picture' }),
    h('div', {}, h('h1', {}, shown.title || v('untitled')), h('p', { class: 'lead' }, shown.issuer.name ?? shown.issuer.id), verdict),
  );
}

function judged({ item }: Credential, verdict: HTMLElement, whole: HTMLElement): void {
  const { result } = item;
  if (!result) return;
  const kind = VERDICTS[result.verdict];
  replace(verdict, h('p', { role: 'status' }, h('span', { class: `mark ${kind}` }, sign(kind), v(result.verdict)), ' ', why(result)));
  replace(whole, card(item, () => undefined), checks(result));
}
