/** Issuing: a template, a roster, a look at what it says, and the start. */

import { append, h, replace } from '../src/dom';
import { Refusal, get, path, post } from './api';
import { emblem } from './card';
import { act, box, choice, field, notice, why } from './parts';
import { to, go } from './router';
import { told } from './roster';
import type { Issuer, Roster, Run, TemplateCard } from './shapes';
import type { Stage } from './stage';
import { named, t } from './words';

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
  private readonly shown = h('div', { class: 'chosen' });
  private readonly looked = h('div', { role: 'region', 'aria-label': t('step-check'), 'aria-live': 'polite' });
  private readonly trouble = h('p', { class: 'error', role: 'alert' });
  private map: Record<string, string> = {};

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
      void this.look();
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
    if (found) replace(this.shown, emblem(found.image ?? undefined, found.title ?? ''), h('div', {}, h('strong', {}, found.title), h('p', { class: 'quiet clipped' }, found.description), found.kind && h('span', { class: 'badge' }, named('kind', found.kind))));
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
    this.map = {};
    void this.look();
  }

  /** Lets the server read the roster; nothing is issued by that. */
  private async look(): Promise<void> {
    const { file } = this;
    if (!file) return;
    replace(this.trouble);
    replace(this.looked, h('p', { class: 'quiet' }, t('roster-reading', { name: file.name })), h('progress', { 'aria-label': t('roster-reading', { name: file.name }) }));
    try {
      const roster = await post<Roster>(path(['rosters'], { template: this.template, map: JSON.stringify(this.map) }), file, this.signal);
      replace(this.looked, ...this.check(roster, file.name));
    } catch (error) {
      replace(this.looked);
      if (!this.signal.aborted) replace(this.trouble, error instanceof Refusal && error.status === 413 ? t('roster-large') : why(error));
    }
  }

  private check(roster: Roster, name: string): HTMLElement[] {
    const remap = (map: Record<string, string>) => {
      this.map = map;
      void this.look();
    };
    const looked = step(3, t('step-3'), ...told(roster, name, this.map, remap));
    return roster.good > 0 ? [looked, this.start(roster)] : [looked];
  }

  private start({ roster, good, rows }: Roster): HTMLElement {
    const mails = this.issuer.mail !== null;
    const invite = h('input', { checked: mails, disabled: !mails });
    const begin = async () => {
      const { run } = await post<Run>('runs', { template: this.template, roster, map: this.map, invite: mails && invite.checked });
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
