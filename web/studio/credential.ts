/** One credential: as everybody sees it, how it stands, what came about with it, and what may be done. */

import { type Child, append, h, replace } from '../src/dom';
import { facts } from '../src/parts';
import { address, get, path } from './api';
import { card, date } from './card';
import { invite, reissue, revoke } from './change';
import { list } from './draft';
import { at, badge } from './parts';
import { go, to } from './router';
import type { Deed, Issuer, Whole } from './shapes';
import { type Stage, may } from './stage';
import { isTable } from './toml';
import { named, t } from './words';

export async function credential(stage: Stage): Promise<void> {
  const { main, place, who, signal } = stage;
  const id = place.path[1] ?? '';
  const [whole, issuer] = await Promise.all([get<Whole>(path(['credentials', id]), signal), get<Issuer>('issuer', signal)]);
  const heading = main.querySelector('h1');
  if (heading) replace(heading, whole.name ?? whole.email ?? whole.learner);
  const side = h('div', { class: 'side' }, section(t('standing'), standing(whole)), actions(whole, may(who, 'issuer'), Boolean(issuer.mail)), section(t('history'), history(whole)));
  const { document } = whole;
  const shown = typeof document === 'object' ? card(document) : h('pre', { class: 'sheet', tabindex: 0 }, document);
  append(main, h('div', { class: 'halves' }, shown, side));
}

function section(title: string, content: Child): HTMLElement {
  return h('section', { class: 'part' }, h('h2', {}, title), content);
}

function standing(one: Whole): HTMLElement {
  return facts([
    [t('state'), badge(one.state)],
    [t('revoked-at'), one.revoked !== null && at(one.revoked)],
    [t('suspended-at'), one.suspended !== null && at(one.suspended)],
    [t('replaced-by'), one.supersededBy !== null && h('a', { href: to(['credentials', one.supersededBy]) }, t('replaced-by-this'))],
    [t('template'), h('a', { href: to(['templates', one.template]) }, one.template)],
    [t('learner'), one.learner],
    [t('email'), one.email],
    [t('period'), one.period === '' ? null : one.period],
    [t('valid-from'), date(one.validFrom)],
    [t('valid-until'), date(one.validUntil) ?? t('c-no-end')],
    [t('identifier'), h('code', {}, one.id)],
    [t('digest'), h('code', {}, one.digest)],
  ]);
}

function actions(one: Whole, mayChange: boolean, mails: boolean): HTMLElement {
  const again = () => go(to(['credentials', one.id]));
  const { state } = one;
  const isOut = one.progress === 'anchored' || one.progress === 'written';
  const isAlive = state !== 'revoked' && state !== 'superseded';
  const button = (text: string, onclick: () => void, kind = '') => h('button', { type: 'button', class: kind, onclick }, text);
  return h(
    'div',
    { class: 'row' },
    isOut && h('a', { class: 'button', href: address(path(['credentials', one.id, 'file'])), download: '' }, t('download')),
    mayChange && isOut && state !== 'superseded' && button(t('reissue'), () => reissue(one)),
    mayChange && mails && isOut && isAlive && one.email !== null && button(t('invite-send'), () => invite([one.id], again)),
    mayChange && isAlive && button(t('revoke'), () => revoke([one.id], again), 'danger'),
  );
}

function history({ history, document, progress }: Whole): HTMLElement {
  const one = ({ at: when, who, what, outcome }: Pick<Deed, 'at' | 'what' | 'outcome'> & { who?: string }) =>
    h('li', {}, h('strong', {}, named('deed', what)), h('span', { class: 'quiet' }, at(when), who !== undefined && ` · ${who}`, outcome !== 'done' && ` · ${outcome === null ? t('outcome-open') : named('outcome', outcome)}`));
  const signed = signedAt(document);
  const first = signed !== undefined && one({ at: signed, what: progress === 'written' ? 'issued' : 'signed', outcome: 'done' });
  return h('ol', { class: 'history' }, ...history.map(one), first);
}

/** When its proof says that it was made (Data Integrity, `created`). */
function signedAt(document: Whole['document']): string | undefined {
  const proofs = typeof document === 'object' ? list(document['proof']) : [];
  const created = proofs.map((proof) => (isTable(proof) ? proof['created'] : undefined));
  return created.find((at): at is string => typeof at === 'string' && !Number.isNaN(Date.parse(at)));
}
