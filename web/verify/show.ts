/** The credential as a person wants to see it. Nothing in it is loaded from anywhere. */

import { type Child, append, h, replace } from '../src/dom';
import { moment } from '../src/i18n';
import { type Hashed, type Named, type Told, carried, matches, told, web } from '../src/credential';
import { notice } from '../src/parts';
import type { Result } from '../src/verifier';
import type { Item } from './files';
import { onlyAKey } from './tell';
import { type Key, t } from './words';

/** The card. `release` is told what must be let go when the card goes. */
export function card({ name, bytes, result }: Item, release: (let_go: () => void) => void): HTMLElement {
  const credential = result?.opened?.credential;
  if (!result || !credential) {
    const known = result && h('dl', { class: 'facts issuer' }, ...provenAs(undefined, result));
    return h('section', { class: 'card sheet' }, h('h2', {}, name), known, h('p', { class: 'quiet' }, t('any-file')));
  }
  const shown = told(credential);
  return h(
    'section',
    { class: 'card sheet', 'aria-labelledby': 'card-title' },
    result.verdict === 'invalid' && notice(t('card-invalid'), 'bad'),
    h(
      'div',
      { class: 'head' },
      picture(shown, own(result, bytes, release)),
      h('div', {}, h('p', { class: 'kinds' }, [...new Set(shown.kinds.map(spaced))].join(' · ')), h('h2', { id: 'card-title' }, shown.title || t('untitled')), awarded(shown)),
    ),
    issuedBy(shown, result),
    part('c-description', shown.description && h('p', {}, shown.description)),
    part('c-criteria', criteria(shown)),
    part('c-results', named(shown.results)),
    part('c-skills', named(shown.skills)),
    part('c-evidence', named(shown.evidence)),
    part('c-tags', shown.tags.length > 0 && h('p', {}, shown.tags.join(', '))),
    dates(shown),
    h('details', { class: 'raw' }, h('summary', {}, t('c-raw')), h('pre', { tabindex: 0 }, JSON.stringify(credential, null, 2))),
  );
}

/** A baked badge is its own picture. */
function own(result: Result, bytes: Uint8Array, release: (let_go: () => void) => void): string | undefined {
  const type = { png: 'image/png', svg: 'image/svg+xml' }[result.opened?.format as string];
  if (type === undefined) return undefined;
  const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type }));
  release(() => URL.revokeObjectURL(url));
  return url;
}

function picture({ picture, pictureText, title }: Told, own: string | undefined): Child {
  const source = own ?? (picture !== undefined && carried(picture) ? picture : undefined);
  return source !== undefined && h('img', { src: source, alt: pictureText ?? title, class: 'picture' });
}

function awarded({ recipient }: Told): Child {
  if (recipient.name !== undefined) return h('p', { class: 'awarded' }, t('awarded-to'), ' ', h('strong', {}, recipient.name));
  if (recipient.hashed !== undefined) return compare(recipient.hashed);
  return recipient.id !== undefined && h('p', { class: 'awarded quiet' }, t('awarded-to'), ' ', h('code', {}, recipient.id));
}

/** An address is compared here; it goes nowhere. */
function compare(hashed: Hashed): HTMLElement {
  const said = h('p', { role: 'status' });
  const input = h('input', { id: 'recipient', type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' });
  const submit = async (event: Event) => {
    event.preventDefault();
    const same = await matches(hashed, input.value);
    said.className = same === null ? 'quiet' : same ? 'same' : 'error';
    replace(said, same === null ? t('recipient-unknown-hash', { algorithm: hashed.hash.split('$')[0] ?? '' }) : t(same ? 'recipient-same' : 'recipient-other'));
  };
  return h(
    'form',
    { class: 'compare', onsubmit: (event) => void submit(event) },
    h('label', { for: 'recipient' }, t('recipient-hashed')),
    h('div', { class: 'row' }, input, h('button', {}, t('recipient-compare'))),
    said,
  );
}

/** Whether what is shown is known to come from the issuer's account or key at all. */
function genuine({ checks }: Result): boolean {
  const outcome = (name: string) => checks.find(({ check }) => check === name)?.outcome;
  const failed = ['integrity', 'inclusion', 'anchor', 'signature'].some((name) => outcome(name) === 'fail');
  return !failed && outcome(outcome('anchor') === 'not applicable' ? 'signature' : 'anchor') === 'pass';
}

/** What the issuer calls itself is one thing; who it was proven to be is another. */
function issuedBy({ issuer }: Told, result: Result): HTMLElement {
  return h(
    'dl',
    { class: 'facts issuer' },
    h('dt', {}, t('issued-by')),
    h('dd', {}, h('strong', {}, issuer.name ?? issuer.id ?? '—'), ' ', h('span', { class: 'quiet' }, `(${t('calls-itself').toLowerCase()})`)),
    ...provenAs(issuer.id, result),
  );
}

function provenAs(id: string | undefined, result: Result): HTMLElement[] {
  const check = result.checks.find(({ check }) => check === 'issuer');
  const proven = genuine(result) && check?.outcome === 'pass' ? check.detail : undefined;
  const term = h('dt', {}, t('proven'));
  if (!proven) return [term, h('dd', { class: 'unproven' }, t(id === undefined ? 'not-proven-file' : 'not-proven'))];
  const account = text(proven['account']);
  const name = text(proven['name']) ?? text(proven['named']) ?? id ?? account ?? '';
  const more = [id, account].filter((one) => one !== undefined && one !== name);
  return [term, h('dd', {}, h('strong', { class: onlyAKey(result) ? undefined : 'proven' }, name), ...more.map((one) => h('code', {}, one)), onlyAKey(result) && h('span', { class: 'unproven' }, t('proven-key')))];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function criteria({ criteria }: Told): Child {
  const url = web(criteria.url);
  if (criteria.text === undefined && url === undefined) return null;
  const box = h('div', {}, criteria.text !== undefined && h('p', {}, criteria.text));
  if (url) append(box, h('p', {}, link(url, t('criteria-open', { host: url.host }))));
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
  const remote = shown.picture !== undefined && !carried(shown.picture) ? web(shown.picture) : undefined;
  const pairs: [Key, Child][] = [
    ['c-from', date(shown.from)],
    ['c-until', date(shown.until) ?? t('c-no-end')],
    ['c-credits', shown.credits],
    ['c-level', shown.level],
    ['c-field', shown.field],
    ['c-code', shown.code],
    ['c-id', shown.id && h('code', {}, shown.id)],
  ];
  const facts = pairs.flatMap(([key, value]) => (value ? [h('dt', {}, t(key)), h('dd', {}, value)] : []));
  return h(
    'div',
    { class: 'dates' },
    h('dl', { class: 'facts' }, ...facts),
    remote && h('p', { class: 'quiet' }, t('picture-elsewhere', { host: remote.host }), ' ', link(remote, t('picture-open'))),
  );
}

function date(text: string | undefined): Child {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(at)) return text;
  return h('time', { datetime: new Date(at).toISOString(), title: text ?? '' }, moment(new Date(at)));
}

function part(key: Key, content: Child): Child {
  return content ? h('div', { class: 'part' }, h('h3', {}, t(key)), content) : null;
}

function link(url: URL, text: string): HTMLElement {
  return h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow', title: t('opens-elsewhere', { host: url.host }) }, text);
}

/** `OpenBadgeCredential` as people write it. */
function spaced(type: string): string {
  return type.replace(/([a-z])([A-Z])/g, '$1 $2');
}
