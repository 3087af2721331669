/** The live view: batches and status changes as the node tells of them by Server-Sent Events. */

import { h, replace } from '../src/dom';
import { clock } from '../src/i18n';
import { type Batch, type Happening, type Stage, batchOf, batches } from './api';
import { badge, batchPage, issuerPage, short, when } from './parts';
import { t } from './words';

/** Rows that are shown, the newest. */
const MOST = 12;
/** Batches that are asked for when the view opens, and for how many issuers. */
const LATELY = { batches: 4, issuers: 4 };
/** Where the browser gives up by itself, it is tried again after so many milliseconds. */
const AGAIN = 5000;
const STAGES = ['sealed', 'prepared', 'broadcast', 'pending', 'included', 'final', 'missed'] as const;

/** One thing that moves. */
interface Row {
  issuer: string;
  what: string;
  state: Stage;
  at: string;
  root?: string | undefined;
  size?: number | undefined;
}

/**
 * A panel that follows one issuer, or all that are given. `moved` is told whenever something came to another state, so
 * that a page can read its figures anew.
 */
export function live(issuers: string[], moved: () => void = () => undefined): HTMLElement {
  const rows = new Map<string, Row>();
  const list = h('ol', { class: 'happenings' });
  const connection = h('span', { class: 'connection', role: 'status' });
  const said = h('p', { class: 'hidden', role: 'status' });
  const one = issuers.length === 1;

  const show = () => {
    const newest = [...rows.entries()].sort(([, a], [, b]) => b.at.localeCompare(a.at)).slice(0, MOST);
    replace(list, ...newest.map(([, row]) => item(row, !one)));
    if (newest.length === 0) replace(list, h('li', { class: 'quiet' }, t('live-none')));
  };
  const take = (batch: Batch, at: string) => {
    const { issuer, state, root, size } = batch;
    rows.set(`batch ${batch.batch}`, { issuer, what: t('live-batch', { number: String(batch.batch) }), state, at, root, size });
  };
  const readAll = async () => {
    const pages = await Promise.all(issuers.slice(0, LATELY.issuers).map((issuer) => batches(issuer, LATELY.batches)));
    for (const batch of pages.flatMap((page) => page.batches)) take(batch, latest(batch));
    show();
  };
  const happened = async (event: Happening) => {
    const { issuer, batch, change, state, at } = event;
    const what = batch === undefined ? t('live-change', { number: String(change) }) : t('live-batch', { number: String(batch) });
    const key = batch === undefined ? `change ${change}` : `batch ${batch}`;
    rows.set(key, { ...rows.get(key), issuer, what, state, at });
    show();
    said.textContent = t('live-said', { what, state: t(`state-${state}`) });
    moved();
    const row = rows.get(key);
    if (batch !== undefined && row?.root === undefined) {
      // What it holds is not told with the event. Its state is: an answer that was overtaken must not set it back.
      const { root, size } = await batchOf(issuer, batch);
      rows.set(key, { ...(rows.get(key) ?? { issuer, what, state, at }), root, size });
      show();
    }
  };

  show();
  readAll().catch(() => undefined);
  follow(one ? issuers[0] : undefined, {
    happened: (event) => void happened(event).catch(() => undefined),
    missed: () => void readAll().then(moved, () => undefined),
    connected: (is) => {
      connection.textContent = t(is ? 'live-on' : 'live-off');
      connection.classList.toggle('on', is);
    },
  });
  const head = h('div', { class: 'head' }, h('h2', {}, t('live')), connection);
  return h('section', { class: 'live sheet' }, head, h('p', { class: 'quiet' }, t('live-lead')), list, said);
}

interface Listener {
  happened: (event: Happening) => void;
  missed: () => void;
  connected: (is: boolean) => void;
}

/**
 * Listens. After a broken connection the browser asks again with `Last-Event-ID`, and the node says `missed` where
 * something happened in between; after a refusal it would give up, so it is opened anew.
 */
function follow(issuer: string | undefined, listener: Listener, again = false): void {
  const source = new EventSource(`/v1/events${issuer === undefined ? '' : `?issuer=${issuer}`}`);
  source.onopen = () => {
    listener.connected(true);
    if (again) listener.missed();
  };
  source.onerror = () => {
    listener.connected(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(issuer, listener, true), AGAIN);
  };
  for (const stage of STAGES) {
    source.addEventListener(stage, (event) => {
      if (stage === 'missed') listener.missed();
      else listener.happened(JSON.parse((event as MessageEvent<string>).data) as Happening);
    });
  }
}

function item({ issuer, what, state, at, root, size }: Row, named: boolean): HTMLElement {
  return h(
    'li',
    {},
    when(at, clock),
    h('span', { class: 'what' }, root === undefined ? what : h('a', { href: batchPage(root) }, what)),
    h('span', { class: 'quiet' }, size !== undefined && t('credentials-count', { count: size })),
    named && h('a', { class: 'whose', href: issuerPage(issuer) }, short(issuer)),
    badge(state),
  );
}

/** When a batch last moved, as far as its record says. */
function latest({ finalAt, anchor, sealedAt }: Batch): string {
  return finalAt ?? anchor?.time ?? sealedAt ?? new Date().toISOString();
}
