/** One credential: as everybody sees it, how it stands, what came about with it, and what may be done. */

import { type Child, append, h, replace } from '../src/dom';
import { facts } from '../src/parts';
import { address, get, path } from './api';
import { card, date } from './card';
import { invite, reissue, revoke } from './change';
import { at, badge } from './parts';
import { go, to } from './router';
import type { Event, Issuer, Whole } from './shapes';
import { type Stage, may } from './stage';
import { named, t } from './words';

export async function credential(stage: Stage): Promise<void> {
  const { main, place, who, signal } = stage;
  const id = place.path[1] ?? '';
  const mayChange = may(who, 'issuer');
  const [whole, issuer] = await Promise.all([get<Whole>(path(['credentials', id]), signal), get<Issuer>('issuer', signal)]);
  const heading = main.querySelector('h1');
  if (heading) replace(heading, whole.name ?? whole.email ?? whole.learner);
  const side = h('div', { class: 'side' }, section(t('standing'), standing(whole)), mayChange && actions(whole, issuer.mail !== null), section(t('history'), history(whole.history)));
  const shown = whole.document ? card(whole.document) : h('p', { class: 'sheet quiet' }, t('not-written'));
  append(main, h('div', { class: 'halves' }, shown, side));
}

function section(title: string, content: Child): HTMLElement {
  return h('section', { class: 'part' }, h('h2', {}, title), content);
}

function standing(one: Whole): HTMLElement {
  return facts([
    [t('state'), badge(one.state)],
    [t('revoked-at'), one.revoked !== null && at(one.revoked)],
    [t('template'), h('a', { href: to(['templates', one.template]) }, one.template)],
    [t('learner'), one.learner],
    [t('email'), one.email],
    [t('period'), one.period],
    [t('valid-from'), date(one.validFrom)],
    [t('valid-until'), date(one.validUntil) ?? t('c-no-end')],
    [t('identifier'), h('code', {}, one.id)],
    [t('digest'), h('code', {}, one.digest)],
  ]);
}

function actions(one: Whole, mails: boolean): HTMLElement {
  const again = () => go(to(['credentials', one.id]));
  const alive = one.revoked === null && !one.superseded;
  const button = (text: string, onclick: () => void, kind = '') => h('button', { type: 'button', class: kind, onclick }, text);
  return h(
    'div',
    { class: 'row' },
    one.document && h('a', { class: 'button', href: address(path(['credentials', one.id, 'file'])), download: '' }, t('download')),
    alive && button(t('reissue'), () => reissue(one)),
    alive && mails && one.email !== null && button(t('invite-send'), () => invite([one.id], again)),
    alive && button(t('revoke'), () => revoke([one.id], again), 'danger'),
  );
}

function history(events: Event[]): HTMLElement {
  const one = ({ at: when, what, who, detail }: Event) => h('li', {}, h('strong', {}, named('event', what)), h('span', { class: 'quiet' }, at(when), who !== null && ` · ${who}`), detail !== null && h('p', {}, detail));
  return h('ol', { class: 'history' }, ...events.map(one));
}
