/** What may be done to credentials that are out: revoked, issued anew, sent to their learners. */

import { h } from '../src/dom';
import { path, post } from './api';
import { line, pair } from './controls';
import { act, ask, field, form, leave, tell } from './parts';
import { go, to } from './router';
import type { Listed } from './shapes';
import { t } from './words';

/** Asks first: it cannot be taken back. */
export function revoke(ids: string[], done: () => void): void {
  ask(t('revoke-title', { count: ids.length }), (close) => {
    const reason = h('textarea', { class: 'prose', rows: 2 });
    const gone = async () => {
      await post('credentials/revoke', { ids, reason: reason.value.trim() });
      close();
      tell(t('revoked-told', { count: ids.length }));
      done();
    };
    return [
      h('p', {}, t('revoke-means')),
      h('p', {}, h('strong', {}, t('revoke-for-good'))),
      field(t('reason'), reason, { hint: t('reason-hint') }),
      h('div', { class: 'row' }, act(t('revoke-yes', { count: ids.length }), gone, 'danger'), leave(close)),
    ];
  });
}

export function invite(ids: string[], done: () => void): void {
  ask(t('invite-title', { count: ids.length }), (close) => {
    const send = async () => {
      await post('credentials/invite', { ids });
      close();
      tell(t('invited-told', { count: ids.length }));
      done();
    };
    return [h('p', {}, t('invite-means')), h('div', { class: 'row' }, act(t('invite-send'), send, 'main'), leave(close))];
  });
}

/** A corrected credential takes the place of one that is out; that one is revoked. */
export function reissue(one: Listed): void {
  ask(t('reissue'), (close) => {
    const [name, email, awarded, until] = [line(), line(), h('input', { type: 'date' }), h('input', { type: 'date' })];
    name.value = one.name ?? '';
    email.value = one.email ?? '';
    awarded.value = one.validFrom.slice(0, 10);
    until.value = one.validUntil?.slice(0, 10) ?? '';
    const before = [name, email, awarded, until].map(({ value }) => value);
    const send = async () => {
      const members = ['name', 'email', 'awarded', 'expires'];
      const now = [name, email, awarded, until].map(({ value }) => value.trim());
      const changes = Object.fromEntries(members.map((member, k) => [member, now[k]]).filter((_, k) => now[k] !== before[k]));
      const made = await post<{ id: string }>(path(['credentials', one.id, 'reissue']), { changes });
      close();
      tell(t('reissued-told'));
      go(to(['credentials', made.id]));
    };
    return [
      h('p', {}, t('reissue-means')),
      form([pair(field(t('name'), name), field(t('email'), email)), pair(field(t('valid-from'), awarded), field(t('valid-until'), until))], t('reissue-yes'), send, [leave(close)]),
    ];
  });
}
