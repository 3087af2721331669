/** Issuing: a template, a roster, a look at what it says, and the start. */

import { append, h, replace } from '../src/dom';
import { Refusal, get, path, post } from './api';
import { emblem } from './card';
import { act, box, choice, field, notice, why } from './parts';
import { to, go } from './router';
import { told } from './roster';
import type { Issuer, Meaning, Roster, Run, TemplateCard } from './shapes';
import type { Stage } from './stage';
import { fill } from './templates';
import { t } from './words';

/** Bytes that the server takes at most. */
const MOST = 64 << 20;

export async function issue({ main, place, signal }: Stage): Promise<void> {
  const [{ templates }, issuer] = await Promise.all([get<{ templates: TemplateCard[] }>('templates', signal), get<Issuer>('issuer', signal)]);
  const good = templates.filter(({ faults }) => faults === 0);
  append(main, h('p', { class: 'lead' }, t('issue-lead')));
  if (good.length === 0) return append(main, notice(t('issue-no-template')), h('p', {}, h('a', { class: 'button main', href: to(['new-template']) }, t('template-new'))));
  new Issuing(main, good, issuer, place.query.get('template') ?? '', signal).open();
}

class Issuing {
  private template: string;
  private file: File | undefined;
  /** What the server calls the roster that it has. */
  private roster: string | null = null;
  private readonly shown = h('div', { class: 'chosen' });
  private readonly looked = h('div', { role: 'region', 'aria-label': t('step-check'), 'aria-live': 'polite' });
  private readonly trouble = h('p', { class: 'error', role: 'alert' });
  private meaning: Meaning = { map: {}, dates: '', period: '' };
  private looking = 0;

  constructor(
    private readonly main: HTMLElement,
    private readonly templates: TemplateCard[],
    private readonly issuer: Issuer,
    wanted: string,
    private readonly signal: AbortSignal,
  ) {
    this.template = templates.find(({ name }) => name === wanted)?.name ?? templates[0]?.name ?? '';
  }

  open(): void {
    const options = this.templates.map(({ name, title }): [string, string] => [name, title ?? name]);
    const select = choice(options, this.template, () => {
      this.template = select.value;
      this.showTemplate();
      void this.look(this.roster);
    });
    this.showTemplate();
    append(
      this.main,
      step(1, t('step-1'), field(t('template'), select), this.shown),
      step(2, t('step-2'), this.drop(), this.trouble),
      this.looked,
    );
  }

  private showTemplate(): void {
    const found = this.templates.find(({ name }) => name === this.template);
    const [picture, kind, about] = [h('span', { class: 'emblem' }, emblem(undefined, found?.title ?? '')), h('span', { class: 'quiet' }), h('p', { class: 'clipped' })];
    replace(this.shown, picture, h('div', {}, kind, about));
    void fill(this.template, { picture, kind, about }, this.signal).catch(() => undefined);
  }

  private drop(): HTMLElement {
    const input = h('input', { type: 'file', id: 'roster', class: 'hidden', accept: '.csv,.tsv,.txt,.jsonl,.ndjson,text/csv', onchange: () => this.take(input.files?.[0]) });
    const zone = h('div', { class: 'drop' }, h('p', { class: 'big' }, t('roster-drop')), h('p', { class: 'quiet' }, t('roster-about')), input, h('label', { for: 'roster', class: 'choose' }, t('roster-choose')));
    zone.addEventListener('dragover', (event) => {
      event.preventDefault();
      zone.classList.add('over');
    });
    zone.addEventListener('dragleave', () => zone.classList.remove('over'));
    zone.addEventListener('drop', (event) => {
      event.preventDefault();
      zone.classList.remove('over');
      this.take(event.dataTransfer?.files[0]);
    });
    return zone;
  }

  private take(file: File | undefined): void {
    if (!file) return;
    const wrong = file.size === 0 ? t('roster-empty') : file.size > MOST ? t('roster-large') : '';
    replace(this.trouble, wrong);
    if (wrong !== '') return;
    this.file = file;
    this.meaning = { ...this.meaning, map: {} };
    void this.look(null);
  }

  /** Lets the server read the roster, which it may have already; nothing is issued by that. */
  private async look(known: string | null): Promise<void> {
    const { file } = this;
    if (!file) return;
    const mine = (this.looking += 1);
    const reading = t('roster-reading', { name: file.name });
    replace(this.trouble);
    if (known === null) replace(this.looked, h('p', { class: 'quiet' }, reading), h('progress', { 'aria-label': reading }));
    const { map, dates, period } = this.meaning;
    const meant = { template: this.template, map: JSON.stringify(map), dates, period };
    try {
      const roster = await (known === null ? post<Roster>(path(['rosters'], meant), file, this.signal) : get<Roster>(path(['rosters', known], meant), this.signal));
      if (mine !== this.looking) return;
      this.roster = roster.roster;
      this.keepingFocus(() => replace(this.looked, ...this.check(roster, file.name)));
    } catch (error) {
      if (known === null) replace(this.looked);
      if (!this.signal.aborted) replace(this.trouble, error instanceof Refusal && error.status === 413 ? t('roster-large') : why(error));
    }
  }

  /** Whoever changes a column stays at it, though all is drawn anew. */
  private keepingFocus(draw: () => void): void {
    const controls = () => [...this.looked.querySelectorAll<HTMLElement>('select, input')];
    const at = controls().indexOf(document.activeElement as HTMLElement);
    draw();
    if (at >= 0) controls()[at]?.focus();
  }

  private check(roster: Roster, name: string): HTMLElement[] {
    const again = (meaning: Meaning) => {
      this.meaning = meaning;
      void this.look(roster.roster);
    };
    const looked = step(3, t('step-3'), ...told(roster, name, this.meaning, again));
    return roster.good > 0 ? [looked, this.start(roster)] : [looked];
  }

  private start({ roster, good, rows }: Roster): HTMLElement {
    const mails = Boolean(this.issuer.mail);
    const invite = h('input', { checked: mails, disabled: !mails });
    const begin = async () => {
      const { map, dates, period } = this.meaning;
      const wanted = { template: this.template, roster, map, period, invite: mails && invite.checked, ...(dates !== '' && { dates }) };
      const { run } = await post<Run>('runs', wanted);
      go(to(['runs', String(run)]));
    };
    return step(
      4,
      t('step-4'),
      box(t('invite'), invite, t(mails ? 'invite-about' : 'invite-off')),
      good < rows && notice(t('start-some', { good, bad: rows - good })),
      h('p', {}, act(t('start', { count: good }), begin, 'main')),
    );
  }
}

function step(number: number, title: string, ...content: (HTMLElement | false)[]): HTMLElement {
  return h('section', { class: 'sheet step' }, h('h2', {}, h('span', { class: 'numeral', 'aria-hidden': 'true' }, number), title), ...content);
}
