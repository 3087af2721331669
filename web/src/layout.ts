/** What surrounds every page: name, ways to the other pages, language, footer. */

import { type Child, h, replace } from './dom';
import { LANGUAGES, type Language, language, speak, translator } from './i18n';
import { themeSwitch } from './theme';
import en from './words/en.json';
import es from './words/es.json';

const t = translator({ en, es });

/** A way to another page; the one that is shown is marked. */
export interface Way {
  href: string;
  text: string;
  /** Whether it is the one that is shown, where its path does not tell. */
  current?: boolean;
}

/** The node's own pages. A page that stands elsewhere has no ways to them. */
export const ofTheNode = (): Way[] => [
  { href: '/verify/', text: t('verify') },
  { href: '/explore', text: t('explore') },
  { href: '/docs', text: t('api') },
];

/** Lays the page out, and answers the element for its content. */
export function layout(title: string, ways: Way[], ...content: Child[]): HTMLElement {
  document.documentElement.lang = language;
  titled(title);
  const main = h('main', { id: 'content', tabindex: -1 }, ...content);
  replace(document.body, h('a', { class: 'skip', href: '#content' }, t('skip')), header(ways), main, footer());
  return main;
}

/** What the browser calls the page; as before where there is no name for it. */
export function titled(name: string): void {
  if (name !== '') document.title = `${name} · Testamur`;
}

function header(ways: Way[]): HTMLElement {
  const links = ways.map(({ href, text, current = `${location.pathname}/`.startsWith(href.endsWith('/') ? href : `${href}/`) }) => {
    return h('a', { href, 'aria-current': current ? 'page' : undefined }, text);
  });
  const name = h('a', { class: 'name', href: ways[0]?.href ?? '' }, h('span', { 'aria-hidden': 'true' }, 'T'), 'Testamur');
  return h('header', { class: 'top' }, h('div', {}, name, h('nav', {}, ...links), themeSwitch(), languages()));
}

function languages(): HTMLElement {
  const options = Object.entries(LANGUAGES).map(([tag, name]) =>
    h('option', { value: tag, lang: tag, selected: tag === language }, name),
  );
  const chosen = (event: Event) => speak((event.target as HTMLSelectElement).value as Language);
  return h('select', { 'aria-label': t('language'), onchange: chosen }, ...options);
}

function footer(): HTMLElement {
  return h('footer', {}, h('p', {}, t('footer')));
}
