/** Everything that was issued, as a list to search. */

import { append, h, replace } from '../src/dom';
import { get, path } from './api';
import { date } from './card';
import { invite, revoke } from './change';
import { act, badge, choice, field, settled } from './parts';
import { note, to } from './router';
import type { Credentials, Issuer, Listed } from './shapes';
import { type Stage, may } from './stage';
import { t } from './words';

const PAGE = 50;
const STATES = ['good', 'revoked', 'superseded', 'ended', 'suspended', 'unfinished'] as const;
/** Days. */
const SOON = ['30', '90', '365'];
/** Milliseconds without a key before it is looked for. */
const PAUSE = 250;

export async function credentials(stage: Stage): Promise<void> {
  const mails = may(stage.who, 'issuer') && (await get<Issuer>('issuer', stage.signal)).mail;
  await new List(stage, Boolean(mails)).open();
}

class List {
  private readonly picked = new Set<string>();
  private readonly body = h('tbody');
  private readonly foot = h('div', { class: 'more' });
  private readonly actions = h('div', { class: 'row picked', role: 'group', 'aria-label': t('picked') });
  private readonly said = h('p', { class: 'quiet', role: 'status' });
  private readonly search = h('input', { type: 'search', autocomplete: 'off', spellcheck: 'false' });
  private readonly state: HTMLSelectElement;
  private readonly expiring: HTMLSelectElement;
  private readonly mayChange: boolean;
  private asked = 0;
  private shown = 0;

  constructor(
    private readonly stage: Stage,
    private readonly mails: boolean,
  ) {
    const { query } = stage.place;
    const again = () => void this.start();
    this.mayChange = may(stage.who, 'issuer');
    this.search.value = query.get('search') ?? '';
    this.search.addEventListener('input', settled(PAUSE, again));
    this.state = choice([['', t('state-any')], ...STATES.map((state): [string, string] => [state, t(`state-${state}`)])], query.get('state') ?? '', again);
    this.expiring = choice([['', t('ends-any')], ...SOON.map((days): [string, string] => [days, t('ends-within', { days: Number(days) })])], query.get('expiring') ?? '', again);
  }

  async open(): Promise<void> {
    const filters = h('form', { class: 'filters', role: 'search', onsubmit: (event) => event.preventDefault() }, field(t('search'), this.search, { className: 'grow' }), field(t('state'), this.state), field(t('ends'), this.expiring));
    const heads = [t('learner'), t('template'), t('state'), t('valid-from'), t('valid-until')].map((text, k) => h('th', { scope: 'col', class: k === 1 || k > 2 ? 'wide' : undefined }, text));
    const pick = this.mayChange && h('th', { scope: 'col' }, h('span', { class: 'hidden' }, t('pick')));
    const grid = h('table', {}, h('caption', { class: 'hidden' }, t('credentials')), h('thead', {}, h('tr', {}, pick, ...heads)), this.body);
    append(this.stage.main, filters, this.said, this.actions, h('div', { class: 'sheet' }, h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('credentials') }, grid), this.foot));
    await this.start();
  }

  /** Looks anew, from the first. */
  private async start(): Promise<void> {
    const { search, state, expiring } = this;
    note(to(['credentials'], { search: search.value.trim(), state: state.value, expiring: expiring.value }));
    this.picked.clear();
    this.pickedChanged();
    this.shown = 0;
    await this.page();
  }

  private async page(before?: number): Promise<void> {
    const mine = (this.asked += 1);
    const wanted = { search: this.search.value.trim(), state: this.state.value, expiring: this.expiring.value && `${this.expiring.value}d`, before, limit: PAGE };
    const { credentials, next } = await get<Credentials>(path(['credentials'], wanted), this.stage.signal);
    if (mine !== this.asked) return;
    if (before === undefined) replace(this.body);
    append(this.body, ...credentials.map((one) => this.row(one)));
    this.shown += credentials.length;
    replace(this.said, t(next === null ? 'found' : 'found-more', { count: this.shown }));
    replace(this.foot, next !== null && act(t('more'), () => this.page(next)));
  }

  private row(one: Listed): HTMLElement {
    const who = one.name ?? one.email ?? one.learner;
    const more = [one.email, one.learner].find((text) => text !== null && text !== who);
    return h(
      'tr',
      {},
      this.mayChange && h('td', { class: 'pick' }, this.box(one, who)),
      h('td', {}, h('a', { href: to(['credentials', one.id]) }, who), more && h('span', { class: 'quiet below' }, more)),
      h('td', { class: 'wide' }, one.template),
      h('td', {}, badge(one.state)),
      h('td', { class: 'wide' }, date(one.validFrom)),
      h('td', { class: 'wide' }, date(one.validUntil) ?? '–'),
    );
  }

  private box({ id }: Listed, who: string): HTMLElement {
    const input = h('input', { type: 'checkbox', 'aria-label': t('pick-one', { who }) });
    input.addEventListener('change', () => {
      if (input.checked) this.picked.add(id);
      else this.picked.delete(id);
      this.pickedChanged();
    });
    return input;
  }

  private pickedChanged(): void {
    const ids = [...this.picked];
    const done = () => void this.start();
    const sends = this.mails && h('button', { type: 'button', onclick: () => invite(ids, done) }, t('invite-send'));
    const ends = h('button', { type: 'button', class: 'danger', onclick: () => revoke(ids, done) }, t('revoke'));
    replace(this.actions, ...(ids.length > 0 ? [h('strong', {}, t('picked-count', { count: ids.length })), sends, ends] : []));
  }
}

