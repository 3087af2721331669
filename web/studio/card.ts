/** A credential as the learner and everybody who is shown it will see it. Nothing in it is loaded from anywhere. */

import { type Child, append, h } from '../src/dom';
import { type Named, type Told, carried, told, web } from '../src/credential';
import { day } from '../src/i18n';
import { fresh } from './parts';
import type { Document } from './shapes';
import { type Key, named as word, t } from './words';

export function card(credential: Document): HTMLElement {
  const shown = told(credential);
  const id = fresh();
  const kinds = shown.kinds.filter((kind) => kind !== 'OpenBadgeCredential').map(kindOf);
  const head = h(
    'div',
    {},
    h('p', { class: 'kinds' }, kinds.join(' · ')),
    h('h2', { id }, shown.title),
    shown.recipient.name !== undefined && h('p', { class: 'awarded' }, t('c-awarded'), ' ', h('strong', {}, shown.recipient.name)),
    h('p', { class: 'by' }, t('c-by'), ' ', h('strong', {}, shown.issuer.name ?? shown.issuer.id ?? '')),
  );
  return h(
    'section',
    { class: 'card sheet', 'aria-labelledby': id },
    h('div', { class: 'head' }, picture(shown), head),
    part('c-description', shown.description && h('p', {}, shown.description)),
    part('c-criteria', criteria(shown)),
    part('c-results', named(shown.results)),
    part('c-skills', named(shown.skills)),
    part('c-evidence', named(shown.evidence)),
    part('c-tags', shown.tags.length > 0 && h('ul', { class: 'tags' }, ...shown.tags.map((tag) => h('li', { class: 'badge' }, tag)))),
    dates(shown),
  );
}

/** The picture that a credential carries; a seal with its first letter where there is none. */
export function emblem(source: string | undefined, title: string, alt = ''): HTMLElement {
  if (source !== undefined && carried(source)) return h('img', { src: source, alt, class: 'picture' });
  return h('span', { class: 'picture seal', 'aria-hidden': 'true' }, [...title.trim()][0]?.toUpperCase() ?? '·');
}

function picture({ picture, pictureText, title }: Told): HTMLElement {
  return emblem(picture, title, pictureText ?? '');
}

function criteria({ criteria }: Told): Child {
  const url = web(criteria.url);
  if (criteria.text === undefined && url === undefined) return null;
  const box = h('div', {}, criteria.text !== undefined && h('p', {}, criteria.text));
  if (url) append(box, h('p', {}, link(url, url.host + (url.pathname === '/' ? '' : url.pathname))));
  return box;
}

function named(all: Named[]): Child {
  if (all.length === 0) return null;
  const one = ({ name, about, url }: Named) => {
    const target = web(url);
    return h('li', {}, target ? link(target, name) : h('strong', {}, name), about !== undefined && h('span', { class: 'quiet' }, about));
  };
  return h('ul', { class: 'named' }, ...all.map(one));
}

function dates(shown: Told): HTMLElement {
  const pairs: [Key, Child][] = [
    ['c-from', date(shown.from)],
    ['c-until', date(shown.until) ?? t('c-no-end')],
    ['c-credits', shown.credits],
    ['c-field', shown.field],
    ['c-level', shown.level],
    ['c-code', shown.code],
  ];
  return h('dl', { class: 'facts' }, ...pairs.flatMap(([key, value]) => (value ? [h('dt', {}, t(key)), h('dd', {}, value)] : [])));
}

/** The day, as the visitor writes it; what is no date stays as it is. */
export function date(text: string | null | undefined): Child {
  if (!text) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? text : h('time', { datetime: text, title: text }, day(new Date(at)));
}

function part(key: Key, content: Child): Child {
  return content ? h('div', { class: 'part' }, h('h3', {}, t(key)), content) : null;
}

function link(url: URL, text: string): HTMLElement {
  return h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, text);
}

/** `MicroCredential` as people write it. */
export function kindOf(type: string): string {
  return word('kind', type).replace(/^ext:/, '').replace(/([a-z])([A-Z])/g, '$1 $2');
}
