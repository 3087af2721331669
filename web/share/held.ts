/** A credential in its learner's hands, and small parts of which all its tools are made. */

import { type Child, h, replace } from '../src/dom';
import { link } from './address';
import type { Trust } from '../verify/settings';
import type { Credential } from './checking';
import type { Kept } from './keep';
import { type State, publish } from './server';
import { sentence } from './trouble';
import { type Key, t } from './words';

export interface Held {
  page: Kept;
  state: State;
  credential: Credential;
  trust: Trust;
  /** Does something, looks at what the server then says, and draws everything anew; tells in `said` what went wrong. */
  act(work: () => Promise<void>, said: HTMLElement): Promise<void>;
}

/** Where others see it. */
export function shareLink({ id, key, kind }: Pick<Kept, 'id' | 'key' | 'kind'>): string {
  return link(location.origin, { kind: kind === 'portfolio' ? 'p' : 'c', id, key });
}

/** Where its learner manages it. */
export function ownLink({ id, key, owner }: Pick<Kept, 'id' | 'key' | 'owner'>): string {
  return link(location.origin, { kind: 'manage', id, key, secret: owner });
}

/** Where something is told that happens while one waits. */
export function said(): HTMLElement {
  return h('p', { class: 'said', role: 'status' });
}

/** Draws anew; whoever was in a panel stays in it. */
export function redrawn(draw: () => void): void {
  const id = document.activeElement?.closest('details, #share')?.id;
  draw();
  const panel = id === undefined ? null : document.getElementById(id);
  panel?.querySelector<HTMLElement>('summary, h2')?.focus();
}

export function button(key: Key, onclick: () => void, kind?: string): HTMLButtonElement {
  return h('button', { type: 'button', onclick, class: kind }, t(key));
}

/** A button whose work may fail: then it is told beside it. */
export function working(key: Key, work: () => Promise<void>, kind?: string): HTMLElement {
  const told = said();
  const run = async () => {
    pressed.disabled = true;
    replace(told, '');
    await work().catch((fault: unknown) => replace(told, sentence(fault)));
    pressed.disabled = false;
  };
  const pressed = button(key, () => void run(), kind);
  return h('div', { class: 'working' }, pressed, told);
}

/** Hands a text to the clipboard; where that is forbidden, `show` brings it forward to be copied by hand. */
export function copier(key: Key, text: () => string, show: () => void = () => undefined): HTMLElement {
  const told = said();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      replace(told, t('copied'));
    } catch {
      show();
      replace(told, t('copy-yourself'));
    }
  };
  return h('span', { class: 'copier' }, button(key, () => void copy()), told);
}

let fields = 0;

/** A text to be copied, under its name. Long ones have several lines. */
export function copied(label: string, text: string, rows = 1): HTMLElement {
  const id = `field-${(fields += 1)}`;
  const attributes = { id, readonly: true, spellcheck: 'false' };
  const field = rows > 1 ? h('textarea', { ...attributes, rows }, text) : h('input', { ...attributes, value: text });
  return h(
    'div',
    { class: 'copied' },
    h('label', { for: id }, label),
    h('div', { class: 'row' }, field, copier('copy', () => text, () => field.select())),
  );
}

/** For what is of no use while nobody else can open the page; nothing otherwise. */
export function unpublished(held: Held): Child {
  if (held.state.published) return null;
  const told = said();
  const show = () => void held.act(() => publish(held.page, true), told);
  return h('div', { class: 'notice' }, h('p', {}, t('not-shared-yet')), button('publish', show), told);
}
