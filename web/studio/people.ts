/** Who may use the studio, and for what: for administrators. */

import { type Child, append, h, replace } from '../src/dom';
import { table } from '../src/parts';
import { get, patch, path, post, remove } from './api';
import { act, ask, at, choice, field, form, leave, tell } from './parts';
import type { Role, User, Who } from './shapes';
import type { Stage } from './stage';
import { t } from './words';

const ROLES: Role[] = ['viewer', 'issuer', 'admin'];
/** As the server asks for. */
const LEAST = 15;

export async function people({ main, who, signal }: Stage): Promise<void> {
  const list = h('div', { class: 'sheet' });
  const draw = async () => {
    const { users } = await get<{ users: User[] }>('users', signal);
    const columns = [t('name'), t('role'), t('way-in'), t('last-in'), t('actions')].map((text) => ({ text }));
    replace(list, table(t('people'), columns, users.map((user) => row(user, who, draw))));
  };
  append(main, h('p', { class: 'lead' }, t('people-lead')), list, h('section', { class: 'sheet narrow' }, h('h2', {}, t('person-add')), adding(draw)));
  await draw();
}

function row(user: User, who: Who, draw: () => Promise<void>): Child[] {
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
  const local = user.local !== false;
  const actions = h('span', { class: 'row' }, local && h('button', { type: 'button', class: 'quiet-button', 'aria-label': t('password-of', { name }), onclick: () => newPassword(name) }, t('password-new')), !self && h('button', { type: 'button', class: 'quiet-button', 'aria-label': t('person-remove', { name }), onclick: () => away(name, draw) }, t('delete')));
  return [h('strong', {}, name), self ? t(`role-${role}`) : select, t(local ? 'way-local' : 'way-oidc'), at(user.lastSeen), actions];
}

function adding(draw: () => Promise<void>): HTMLElement {
  const name = h('input', { autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });
  const secret = h('input', { type: 'password', autocomplete: 'new-password' });
  const role = choice(ROLES.map((one) => [one, `${t(`role-${one}`)}: ${t(`role-${one}-may`)}`]), 'issuer');
  const add = async () => {
    if (secret.value.length < LEAST) throw new Error(t('password-short', { least: LEAST }));
    await post('users', { name: name.value.trim(), password: secret.value, role: role.value });
    tell(t('person-added', { name: name.value.trim() }));
    name.value = secret.value = '';
    await draw();
  };
  return form([field(t('name'), name), field(t('role'), role), field(t('password'), secret, { hint: t('password-hint', { least: LEAST }) })], t('person-add'), add);
}

function newPassword(name: string): void {
  ask(t('password-of', { name }), (close) => {
    const secret = h('input', { type: 'password', autocomplete: 'new-password' });
    const set = async () => {
      if (secret.value.length < LEAST) throw new Error(t('password-short', { least: LEAST }));
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
    return [h('p', {}, t('person-remove-means')), h('div', { class: 'row' }, act(t('delete'), gone, 'danger'), leave(close))];
  });
}
