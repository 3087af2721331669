/** One's own password. */

import { h } from '../src/dom';
import { post } from './api';
import { ask, field, form, leave, tell } from './parts';
import { t } from './words';

/** Characters of a password, as the server asks for. */
export const LEAST = 15;

export function check(password: string): void {
  if ([...password].length < LEAST) throw new Error(t('password-short', { least: LEAST }));
}

export function ownPassword(): void {
  ask(t('password-own'), (close) => {
    const [current, next] = [secret('current-password'), secret('new-password')];
    const set = async () => {
      check(next.value);
      await post('session/password', { current: current.value, new: next.value });
      close();
      tell(t('password-own-changed'));
    };
    return [form([field(t('password-current'), current), field(t('password-new'), next, { hint: t('password-hint', { least: LEAST }) })], t('save'), set, [leave(close)])];
  });
}

function secret(autocomplete: string): HTMLInputElement {
  return h('input', { type: 'password', autocomplete });
}
