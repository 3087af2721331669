/** What social sites may show of a page: words that the learner chooses, and a picture of them. */

import { type Child, h } from '../../src/dom';
import { day, language } from '../../src/i18n';
import type { Told } from '../../src/credential';
import { type Held, button, said, unpublished } from '../held';
import { type Lines, preview as set } from '../server';
import { t } from '../words';

/** Letters of a line. */
const LONGEST = 200;
const LINES = ['achievement', 'issuer', 'name', 'date'] as const;

export function preview(held: Held): Child[] {
  const { page, state, credential } = held;
  const words = linesOf(credential.shown);
  const told = said();
  const boxes = LINES.flatMap((name) => {
    const text = words[name];
    return text === undefined ? [] : [box(name, text, state.preview?.[name] !== undefined)];
  });
  const form = h('form', { onsubmit: submit }, h('fieldset', {}, h('legend', {}, t('preview-which')), ...boxes), h('button', { class: 'main' }, t('preview-set')));
  return [
    unpublished(held),
    h('p', {}, t('preview-about')),
    form,
    state.preview && state.published && picture(page.id),
    state.preview && button('preview-drop', () => void held.act(() => set(page, null, language), told)),
    told,
  ];

  function submit(event: Event): void {
    event.preventDefault();
    const chosen = LINES.filter((name) => form.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.checked);
    const lines: Lines = Object.fromEntries(chosen.map((name) => [name, words[name]]));
    void held.act(() => set(page, chosen.length === 0 ? null : lines, language), told);
  }
}

/** The picture, not the one that the browser remembers. */
function picture(id: string): HTMLElement {
  return h('img', { class: 'preview', src: `/c/${id}/preview.png?at=${Date.now()}`, alt: t('preview-alt'), width: 1200, height: 630 });
}

function box(name: (typeof LINES)[number], text: string, checked: boolean): HTMLElement {
  return h('label', { class: 'box' }, h('input', { type: 'checkbox', name, checked }), h('span', {}, `${t(`preview-${name}`)}: `, h('strong', {}, text)));
}

function linesOf({ title, issuer, recipient, from }: Told): Lines {
  const at = new Date(from ?? '');
  const date = Number.isNaN(at.getTime()) ? undefined : day(at);
  const all = { achievement: line(title), issuer: line(issuer.name), name: line(recipient.name), date };
  return Object.fromEntries(Object.entries(all).filter(([, words]) => words));
}

/** One line, of as many letters as a picture takes. */
function line(text = ''): string {
  return [...text.replace(/\p{Cc}+/gu, ' ').trim()].slice(0, LONGEST).join('');
}
