/** Who may use the studio, and for what: for administrators. */

import { append, h, replace } from '../src/dom';
import { LEAST, check } from './account';
import { get, patch, path, post, remove } from './api';
import { date } from './card';
import { act, ask, choice, field, form, leave, tell } from './parts';
import type { Role, User, Who } from './shapes';
import type { Stage } from './stage';
import { t } from './words';

const ROLES: Role[] = ['viewer', 'issuer', 'admin'];

export async function people({ main, who, signal }: Stage): Promise<void> {
  const list = h('ul', { class: 'lines', 'aria-label': t('people') });
  const draw = async () => {
    const { users } = await get<{ users: User[] }>('users', signal);
    replace(list, ...users.map((user) => item(user, who, draw)));
  };
  append(main, h('p', { class: 'lead' }, t('people-lead')), h('div', { class: 'sheet' }, list), h('section', { class: 'sheet narrow' }, h('h2', {}, t('person-add')), adding(draw)));
  await draw();
}

function item(user: User, who: Who, draw: () => Promise<void>): HTMLElement {
  const { name, role } = user;
  const self = name === who.name;
  const change = () => {
    const wanted = select.value;
    void patch(path(['users', name]), { role: wanted })
      .then(() => tell(t('person-role-changed', { name, role: t(`role-${wanted as Role}`) })))
      .catch((error: unknown) => tell(error instanceof Error ? error.message : t('failed')))
      .finally(() => void draw());
  };
  const select = choice(ROLES.map((one) => [one, t(`role-${one}`)]), role, change);
  select.setAttribute('aria-label', t('person-role-of', { name }));
  const button = (text: string, label: string, onclick: () => void) => h('button', { type: 'button', class: 'quiet-button', 'aria-label': label, onclick }, text);
  return h(
    'li',
    {},
    h('div', { class: 'person' }, h('strong', {}, name), h('span', { class: 'quiet below' }, `${ways(user)} · ${t('added')} `, date(user.added))),
    self ? h('span', { class: 'badge' }, t(`role-${role}`)) : select,
    !self && user.password && button(t('password-new'), t('password-of', { name }), () => newPassword(name)),
    !self && button(t('f-row-remove'), t('person-remove', { name }), () => away(name, draw)),
  );
}

function ways({ password, oidc }: User): string {
  return [password && t('way-local'), (oidc || !password) && t('way-oidc')].filter(Boolean).join(', ');
}

function adding(draw: () => Promise<void>): HTMLElement {
  const name = h('input', { autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });
  const secret = h('input', { type: 'password', autocomplete: 'new-password' });
  const role = choice(ROLES.map((one) => [one, `${t(`role-${one}`)}: ${t(`role-${one}-may`)}`]), 'issuer');
  const add = async () => {
    if (secret.value !== '') check(secret.value);
    await post('users', { name: name.value.trim(), role: role.value, ...(secret.value !== '' && { password: secret.value }) });
    tell(t('person-added', { name: name.value.trim() }));
    name.value = secret.value = '';
    await draw();
  };
  return form([field(t('name'), name), field(t('role'), role), field(t('password'), secret, { hint: t('password-hint-new', { least: LEAST }) })], t('person-add'), add);
}

function newPassword(name: string): void {
  ask(t('password-of', { name }), (close) => {
    const secret = h('input', { type: 'password', autocomplete: 'new-password' });
    const set = async () => {
      check(secret.value);
      await patch(path(['users', name]), { password: secret.value });
      close();
      tell(t('password-changed', { name }));
    };
    return [form([field(t('password'), secret, { hint: t('password-hint', { least: LEAST }) })], t('save'), set, [leave(close)])];
  });
}

function away(name: string, draw: () => Promise<void>): void {
  ask(t('person-remove', { name }), (close) => {
    const gone = async () => {
      await remove(path(['users', name]));
      close();
      tell(t('person-removed', { name }));
      await draw();
    };
    return [h('p', {}, t('person-remove-means')), h('div', { class: 'row' }, act(t('f-row-remove'), gone, 'danger'), leave(close))];
  });
}
