/** The way in: a password kept here, or the institution's own sign-in. */

import { type Child, h } from '../src/dom';
import { Refusal, address, post } from './api';
import { frame } from './frame';
import { field, form, notice } from './parts';
import { t } from './words';

/** `offered`: which ways the server has. `come` is called once somebody is in. */
export function signIn(offered: Readonly<Record<string, unknown>>, come: () => Promise<void>): void {
  const { local, oidc } = offered;
  const ways: Child[] = [oidc === true && elsewhere(), oidc === true && local !== false && h('p', { class: 'or' }, t('or')), local !== false && password(come)];
  const none = oidc !== true && local === false && notice(t('no-way-in'));
  const failed = new URLSearchParams(location.search).has('refused') && notice(t('oidc-refused'), 'bad');
  const main = frame(t('sign-in'), null, '', h('div', { class: 'sheet door' }, h('h1', {}, t('studio')), h('p', { class: 'quiet' }, t('studio-lead')), failed, ...ways, none));
  main.querySelector('input')?.focus();
}

function elsewhere(): HTMLElement {
  return h('p', {}, h('a', { class: 'button main', href: address('oidc/start') }, t('sign-in-oidc')));
}

function password(come: () => Promise<void>): HTMLElement {
  const name = h('input', { name: 'name', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true });
  const secret = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const enter = async () => {
    await post('session', { name: name.value.trim(), password: secret.value }).catch((error: unknown) => {
      secret.value = '';
      secret.focus();
      throw said(error);
    });
    await come();
  };
  return form([field(t('name'), name), field(t('password'), secret)], t('sign-in'), enter);
}

function said(error: unknown): unknown {
  if (!(error instanceof Refusal)) return error;
  if (error.kind === 'wrong-password') return new Error(t('sign-in-wrong'));
  return error.status === 429 ? new Error(t('sign-in-many')) : error;
}
