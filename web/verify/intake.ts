/** Taking files and links from the visitor. */

import { type Child, h, replace } from '../src/dom';
import { t } from './words';

export interface Taken {
  files(files: File[]): void;
  text(text: string): void;
}

/** Where files are dropped, chosen, and pasted. */
export function intake(taken: Taken, trouble?: string): HTMLElement {
  const input = h('input', { type: 'file', multiple: true, id: 'files', class: 'hidden' });
  input.addEventListener('change', () => taken.files([...(input.files ?? [])]));
  const text = h('textarea', { id: 'paste', rows: 3, spellcheck: 'false', autocomplete: 'off' });
  const submit = (event: Event) => {
    event.preventDefault();
    taken.text(text.value.trim());
  };
  return h(
    'div',
    { class: 'intake' },
    h('p', { class: 'error', role: 'alert', id: 'trouble' }, trouble),
    h(
      'div',
      { class: 'drop' },
      h('p', { class: 'big' }, t('drop')),
      h('p', { class: 'quiet' }, t('drop-more')),
      input,
      h('label', { for: 'files', class: 'choose' }, t('choose')),
    ),
    h('form', { onsubmit: submit }, h('label', { for: 'paste' }, t('paste')), text, h('button', { class: 'main' }, t('paste-go'))),
  );
}

/** Says what was wrong with what was taken. */
export function complain(text: Child): void {
  const place = document.getElementById('trouble');
  if (place) replace(place, text);
}

/** Files may be dropped anywhere on the page. */
export function dropAnywhere(taken: Taken): void {
  const root = document.documentElement;
  addEventListener('dragover', (event) => {
    event.preventDefault();
    root.classList.add('dragging');
  });
  addEventListener('dragleave', ({ relatedTarget }) => relatedTarget === null && root.classList.remove('dragging'));
  addEventListener('drop', (event) => {
    event.preventDefault();
    root.classList.remove('dragging');
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) taken.files(files);
    else taken.text(event.dataTransfer?.getData('text').trim() ?? '');
  });
}
