/** What may be done to credentials that are out: revoked, issued anew, sent to their learners. */

import { h, replace } from '../src/dom';
import { path, post } from './api';
import { line, pair } from './controls';
import { act, ask, field, form, leave, tell } from './parts';
import { go, to } from './router';
import type { Listed, Run } from './shapes';
import { t } from './words';

interface Revoked {
  revoked: string[];
  refused: { id: string; why: string }[];
  waiting: string[];
}

/** Asks first: it cannot be taken back. */
export function revoke(ids: string[], done: () => void): void {
  ask(t('revoke-title', { count: ids.length }), (close) => {
    const foot = h('div', { class: 'row' });
    const gone = async () => {
      const came = await post<Revoked>('credentials/revoke', { ids });
      const leave = () => {
        close();
        done();
      };
      if (came.refused.length > 0) return replace(foot, refused(came), h('button', { type: 'button', onclick: leave }, t('close')));
      leave();
      tell(came.waiting.length > 0 ? t('revoke-waits', { count: came.waiting.length }) : t('revoked-told', { count: came.revoked.length }));
    };
    replace(foot, act(t('revoke-yes', { count: ids.length }), gone, 'danger'), leave(close));
    return [h('p', {}, t('revoke-means')), h('p', {}, h('strong', {}, t('revoke-for-good'))), foot];
  });
}

function refused({ refused }: Revoked): HTMLElement {
  return h('div', { class: 'notice bad', role: 'alert' }, h('p', {}, t('revoke-refused', { count: refused.length })), h('ul', {}, ...refused.map(({ id, why }) => h('li', {}, h('code', {}, id), ' ', why))));
}

export function invite(ids: string[], done: () => void): void {
  ask(t('invite-title', { count: ids.length }), (close) => {
    const send = async () => {
      await post('credentials/invite', { ids });
      close();
      done();
      tell(t('invited-told', { count: ids.length }));
    };
    return [h('p', {}, t('invite-means')), h('div', { class: 'row' }, act(t('invite-send'), send, 'main'), leave(close))];
  });
}

/** What may be corrected, as rosters call it, and as what it is written. */
const CORRECTIONS = [
  ['name', 'name', 'text'],
  ['email', 'email', 'text'],
  ['awarded', 'valid-from', 'date'],
  ['expires', 'valid-until', 'date'],
] as const;

/** A corrected credential takes the place of one that is out; that one is revoked. It is a run of one. */
export function reissue(one: Listed): void {
  const before = { name: one.name ?? '', email: one.email ?? '', awarded: one.validFrom.slice(0, 10), expires: one.validUntil?.slice(0, 10) ?? '' };
  ask(t('reissue'), (close) => {
    const inputs = CORRECTIONS.map(([member, , type]) => {
      const input = h('input', { type, autocomplete: 'off' });
      input.value = before[member];
      return input;
    });
    const send = async () => {
      const now = CORRECTIONS.map(([member], k) => [member, inputs[k]?.value.trim() ?? ''] as const);
      const changes = Object.fromEntries(now.filter(([member, value]) => value !== before[member]).map(([member, value]) => [member, value === '' ? null : value]));
      const { run } = await post<Run>(path(['credentials', one.id, 'reissue']), { changes });
      close();
      go(to(['runs', String(run)], { from: one.id }));
    };
    const fields = CORRECTIONS.map(([, key], k) => field(t(key), inputs[k] ?? line()));
    return [h('p', {}, t('reissue-means')), form([pair(...fields)], t('reissue-yes'), send, [leave(close)])];
  });
}
