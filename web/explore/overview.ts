/** The first page: look something up, this node's issuers, what happens now. */

import { h } from '../src/dom';
import { node } from './api';
import { live } from './live';
import { batchPage, chain, facts, issuerPage } from './parts';
import { t } from './words';

export async function overview(main: HTMLElement): Promise<void> {
  const told = await node();
  const issuers = told.issuers.map((issuer) => h('li', {}, h('a', { href: issuerPage(issuer) }, h('code', {}, issuer))));
  main.append(
    h('p', { class: 'lead' }, t('lead')),
    search(),
    h('h2', {}, t('issuers')),
    issuers.length > 0 ? h('ul', { class: 'issuers sheet' }, ...issuers) : h('p', {}, t('issuers-none')),
    live(told.issuers),
    h('h2', {}, t('about')),
    facts([
      [t('chain'), chain(told.chain)],
      [t('registry'), h('code', {}, told.registry)],
      [t('operator'), h('code', {}, told.operator)],
      [t('version'), told.version],
    ]),
  );
}

function search(): HTMLElement {
  const input = h('input', { id: 'search', name: 'search', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'search-error' });
  const error = h('p', { id: 'search-error', class: 'error', role: 'alert' });
  const go = (event: Event) => {
    event.preventDefault();
    const page = pageOf(input.value.trim());
    error.textContent = page === null ? t('search-wrong') : '';
    input.toggleAttribute('aria-invalid', page === null);
    if (page !== null) location.assign(page);
  };
  const row = h('div', { class: 'row' }, input, h('button', { class: 'main' }, t('search-go')));
  return h('form', { class: 'search', role: 'search', onsubmit: go }, h('label', { for: 'search' }, t('search')), row, error);
}

/** Where an account or a root is shown; null: it is neither. */
export function pageOf(text: string): string | null {
  const hex = /^(?:0x)?([0-9a-f]+)$/i.exec(text)?.[1]?.toLowerCase();
  if (hex?.length === 40) return issuerPage(`0x${hex}`);
  return hex?.length === 64 ? batchPage(`0x${hex}`) : null;
}
