/** Small parts that several views show. */

import { type Child, h, replace } from '../src/dom';
import { moment } from '../src/i18n';
import { Refusal } from './api';
import { named, t } from './words';

export { facts, notice, short, when } from '../src/parts';

/** Milliseconds for which something is told. */
const SHOWN = 8000;

let made = 0;

/** An identifier that nothing else on the page has. */
export function fresh(): string {
  made += 1;
  return `n${made}`;
}

export type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** A control under its label. `path`: where faults name it. */
export function field(label: Child, control: Control, more: { hint?: Child; path?: string; className?: string } = {}): HTMLElement {
  const id = control.id || fresh();
  control.id = id;
  const hint = more.hint !== undefined && h('p', { class: 'hint', id: `${id}-hint` }, more.hint);
  const fault = h('p', { class: 'error', id: `${id}-fault`, 'aria-live': 'polite' });
  control.setAttribute('aria-describedby', hint ? `${id}-hint ${id}-fault` : `${id}-fault`);
  return h('div', { class: `field ${more.className ?? ''}`, 'data-path': more.path }, h('label', { for: id }, label), control, hint, fault);
}

/** Says what is wrong at a field, or that nothing is. */
export function blame(place: Element, what: string): void {
  const control = place.querySelector<Control>('input, textarea, select');
  const said = place.querySelector('.error');
  if (said && said.textContent !== what) said.textContent = what;
  if (what === '') control?.removeAttribute('aria-invalid');
  else control?.setAttribute('aria-invalid', 'true');
}

/** A box to tick. */
export function box(label: Child, input: HTMLInputElement, hint?: Child): HTMLElement {
  input.type = 'checkbox';
  return h('div', {}, h('label', { class: 'box' }, input, h('span', {}, label)), hint !== undefined && h('p', { class: 'hint' }, hint));
}

export function choice(options: [value: string, text: string][], chosen: string, change?: () => void): HTMLSelectElement {
  const made = options.map(([value, text]) => h('option', { value, selected: value === chosen }, text));
  return h('select', change ? { onchange: change } : {}, ...made);
}

/** What a refusal says to people. */
export function why(error: unknown): string {
  if (error instanceof Refusal && error.status === 0) return t('unreachable');
  return error instanceof Error && error.message !== '' ? error.message : t('failed');
}

/** A button that is off while its work is under way, and says beside itself what went wrong. */
export function act(text: Child, work: () => Promise<void>, kind = ''): HTMLElement {
  const said = h('span', { class: 'error', role: 'alert' });
  const button = h('button', { type: 'button', class: kind, onclick: () => void run() }, text);
  const run = async () => {
    button.disabled = true;
    replace(said);
    await work().catch((error: unknown) => replace(said, why(error)));
    button.disabled = false;
  };
  return h('span', { class: 'act' }, button, said);
}

/** A form whose work is done once at a time, and which says what went wrong. */
export function form(content: Child[], text: string, work: () => Promise<void>, more: Child[] = []): HTMLFormElement {
  const said = h('p', { class: 'error', role: 'alert' });
  const button = h('button', { class: 'main' }, text);
  const submit = async (event: Event) => {
    event.preventDefault();
    button.disabled = true;
    replace(said);
    await work().catch((error: unknown) => replace(said, why(error)));
    button.disabled = false;
  };
  return h('form', { class: 'fields', novalidate: true, onsubmit: (event) => void submit(event) }, ...content, said, h('div', { class: 'row' }, button, ...more));
}

/** Asks something in front of the page, and answers when it was answered or left. */
export function ask(title: string, content: (close: () => void) => Child[]): void {
  const id = fresh();
  const dialog = h('dialog', { 'aria-labelledby': id });
  const close = () => dialog.close();
  replace(dialog, h('h2', { id }, title), ...content(close));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export function leave(close: () => void): HTMLElement {
  return h('button', { type: 'button', onclick: close }, t('cancel'));
}

/** A moment, or a dash. */
export function at(iso: string | null | undefined): Child {
  return iso ? h('time', { datetime: iso, title: iso }, moment(new Date(iso))) : '–';
}

const STATES = { good: 'good', done: 'good', revoked: 'bad', failed: 'bad', suspended: 'bad', ended: '', superseded: '', held: '', queued: '' } as const;

/** How something stands, as a small mark. */
export function badge(state: string): HTMLElement {
  const kind = state in STATES ? STATES[state as keyof typeof STATES] : 'under-way';
  return h('span', { class: `badge ${kind}` }, named('state', state));
}

/** Says something that has come about, to those who see and to those who listen. */
export function tell(text: string): void {
  const place = document.getElementById('told');
  const toast = h('p', { class: 'toast' }, text);
  if (place) replace(place, toast);
  setTimeout(() => toast.remove(), SHOWN);
}

/** Calls once nothing came for so many milliseconds. */
export function settled(wait: number, call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, wait);
  };
}
