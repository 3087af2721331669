/** The settings, to be looked at and changed. */

import { type Child, h, replace } from '../src/dom';
import type { Hex, RecognisedIssuer } from '../src/verifier';
import { type Settings, keep, kept } from './settings';
import { type Key, t } from './words';

type Lists = 'endpoints' | 'chains' | 'registries' | 'issuers' | 'checkpoints';

/** A line that is not as it must be. */
class Wrong extends Error {}

const ACCOUNT = /^0x[0-9a-f]{40}$/i;

const READ: Record<Lists, (line: string) => unknown> = {
  endpoints: (line) => {
    if (!URL.canParse(line) || !/^https?:$/.test(new URL(line).protocol)) throw new Wrong(t('s-wrong-endpoint'));
    return line;
  },
  chains: (line) => {
    if (!/^eip155:\d{1,19}$/.test(line)) throw new Wrong(t('s-wrong-chain'));
    return line;
  },
  registries: account,
  issuers: issuer,
  checkpoints: (line) => {
    if (!/^eip155:\d+ \d+ 0x[0-9a-f]{64}$/i.test(line)) throw new Wrong(t('s-wrong-checkpoint'));
    return line.toLowerCase();
  },
};

/** The panel. `apply` gets settings that are well formed, `defaults` are those of the page's host. */
export function settingsForm(settings: Settings, defaults: Settings, apply: (settings: Settings) => void): HTMLElement {
  const said = h('p', { role: 'status' });
  const remember = box('s-remember', kept() !== null);
  const form = h('form', { novalidate: true, onsubmit: submit });
  fill(settings);
  return h('details', { class: 'settings sheet', id: 'settings' }, h('summary', {}, h('h2', {}, t('settings'))), form);

  function fill(shown: Settings): void {
    replace(
      form,
      h('p', { class: 'quiet' }, t('settings-about')),
      lines('endpoints', shown.endpoints, 's-endpoints', 's-endpoints-help'),
      field('quorum', 's-quorum', 's-quorum-help', h('input', { ...named('quorum'), inputmode: 'numeric', value: shown.quorum ?? '' })),
      lines('chains', shown.chains, 's-chains'),
      lines('registries', shown.registries, 's-registries'),
      lines('issuers', shown.issuers.map(written), 's-issuers', 's-issuers-help'),
      lines('checkpoints', shown.checkpoints, 's-checkpoints', 's-checkpoints-help'),
      box('s-documents', shown.documents, 's-documents-help', 'documents'),
      remember,
      h('div', { class: 'row' }, h('button', { class: 'main' }, t('s-save')), h('button', { type: 'button', onclick: reset }, t('s-reset'))),
      said,
    );
  }

  function submit(event: Event): void {
    event.preventDefault();
    try {
      const read = all(form);
      keep(remember.querySelector('input')?.checked ? read : null);
      said.className = 'quiet';
      replace(said, t('s-saved'));
      apply(read);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      said.className = 'error';
      replace(said, error.message);
    }
  }

  function reset(): void {
    keep(null);
    fill(defaults);
    form.requestSubmit();
  }
}

/** Leads the visitor to the panel. */
export function openSettings(): void {
  const panel = document.querySelector<HTMLDetailsElement>('#settings');
  if (!panel) return;
  panel.open = true;
  panel.scrollIntoView();
  panel.querySelector('textarea')?.focus();
}

function all(form: HTMLFormElement): Settings {
  const value = (name: string) => (form.elements.namedItem(name) as HTMLTextAreaElement).value;
  const list = (name: Lists) => value(name).split('\n').map((line) => line.trim()).flatMap((line, at) => (line === '' ? [] : [read(name, line, at, form)]));
  const quorum = value('quorum').trim();
  if (!/^([1-9]\d?)?$/.test(quorum)) throw new Wrong(t('s-wrong-quorum'));
  return {
    endpoints: list('endpoints') as string[],
    quorum: quorum === '' ? null : Number(quorum),
    chains: list('chains') as string[],
    registries: list('registries') as string[],
    issuers: list('issuers') as RecognisedIssuer[],
    checkpoints: list('checkpoints') as string[],
    documents: (form.elements.namedItem('documents') as HTMLInputElement).checked,
  };
}

function read(name: Lists, line: string, at: number, form: HTMLFormElement): unknown {
  try {
    return READ[name](line);
  } catch (error) {
    (form.elements.namedItem(name) as HTMLElement).focus();
    throw error instanceof Wrong ? new Wrong(t('s-wrong', { line: String(at + 1), text: error.message })) : error;
  }
}

function account(text: string): string {
  if (!ACCOUNT.test(text)) throw new Wrong(t('s-wrong-account'));
  return text.toLowerCase();
}

/** `did:web:university.example 0x… 0x… Example University` */
function issuer(line: string): RecognisedIssuer {
  const words = line.split(/\s+/);
  const id = words[0]?.startsWith('0x') ? undefined : words.shift();
  const accounts = words.filter((word) => word.startsWith('0x')).map((word) => account(word) as Hex);
  const name = words.filter((word) => !word.startsWith('0x')).join(' ');
  if (accounts.length === 0) throw new Wrong(t('s-wrong-issuer'));
  return { ...(id !== undefined && { id }), ...(name !== '' && { name }), accounts };
}

function written({ id, name, accounts }: RecognisedIssuer): string {
  return [id, ...accounts, name].filter((part) => part !== undefined).join(' ');
}

function named(name: string) {
  return { id: `s-${name}`, name, 'aria-describedby': `s-${name}-help`, autocomplete: 'off', spellcheck: 'false' };
}

function lines(name: Lists, shown: string[], label: Key, help?: Key): HTMLElement {
  const rows = Math.min(Math.max(shown.length + 1, 2), 7);
  return field(name, label, help, h('textarea', { ...named(name), rows }, shown.join('\n')));
}

function field(name: string, label: Key, help: Key | undefined, input: HTMLElement): HTMLElement {
  return h('div', {}, h('label', { for: `s-${name}` }, t(label)), input, h('p', { class: 'quiet hint', id: `s-${name}-help` }, help && t(help)));
}

function box(label: Key, checked: boolean, help?: Key, name?: string): HTMLElement {
  const about: Child = help && h('p', { class: 'quiet hint' }, t(help));
  return h('div', {}, h('label', { class: 'box' }, h('input', { type: 'checkbox', checked, name }), t(label)), about);
}
