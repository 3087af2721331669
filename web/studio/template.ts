/** One template: a form for people, the text for those who want it, and beside them what learners will get. */

import { type Child, append, h, replace } from '../src/dom';
import { get, path, post, put, remove } from './api';
import { card } from './card';
import { type Draft, read, text } from './draft';
import { act, ask, blame, field, leave, notice, settled, tell, why } from './parts';
import { go, to } from './router';
import type { Checked, Fault, Template, TemplateCard } from './shapes';
import { type Stage, may } from './stage';
import { said, spread, templateForm } from './template-form';
import { t } from './words';

/** What was not saved yet, by name; it outlives a look at another view, not the page. */
const unsaved = new Map<string, string>();
/** Milliseconds without a key before it is checked. */
const PAUSE = 350;
const EMPTY = '[achievement]\n';
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

addEventListener('beforeunload', (event) => {
  if (unsaved.size > 0) event.preventDefault();
});

/** A template that is there. */
export async function template(stage: Stage): Promise<void> {
  const name = stage.place.path[1] ?? '';
  const found = await get<Template>(path(['templates', name]), stage.signal);
  if (may(stage.who, 'issuer')) return new Editor(stage, name, found.text).open(found);
  const shown = found.preview ? card(found.preview) : notice(t('preview-none'));
  append(stage.main, h('div', { class: 'halves' }, shown, h('details', {}, h('summary', {}, t('tab-text')), h('pre', { tabindex: 0 }, found.text))));
}

/** One that is not there yet. */
export async function newTemplate(stage: Stage): Promise<void> {
  new Editor(stage, null, EMPTY).open({ faults: [], preview: null });
}

class Editor {
  private text: string;
  private draft: Draft | string;
  private checked: Checked = { faults: [], preview: null };
  /** Whether every fault is shown, or those only whose field was left. */
  private all: boolean;
  private asked = 0;
  private readonly sides = h('div', { class: 'sides' });
  private readonly preview = h('div', { class: 'preview', 'aria-live': 'off' });
  private readonly general = h('div', { role: 'status' });
  private readonly area = h('textarea', { rows: 26, spellcheck: 'false', wrap: 'off', autocomplete: 'off' });
  private readonly short = h('input', { autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: 64 });
  private readonly check = settled(PAUSE, () => void this.ask().catch((error: unknown) => this.trouble(error)));
  private readonly shortField: HTMLElement;
  private title = '';

  constructor(
    private readonly stage: Stage,
    private readonly name: string | null,
    saved: string,
  ) {
    this.text = unsaved.get(name ?? '') ?? saved;
    this.draft = read(this.text);
    this.all = name !== null;
    this.shortField = field(t('f-short'), this.short, { hint: t('f-short-hint') });
    this.area.addEventListener('input', () => this.written());
  }

  /** Draws it all, with what the server says of it. */
  open(checked: Checked): void {
    const { main } = this.stage;
    const heading = main.querySelector('h1');
    if (heading) replace(heading, this.name === null ? t('template-new') : t('template-one', { name: this.name }));
    const restored = unsaved.has(this.name ?? '') && notice(t('template-restored'));
    append(main, restored, this.name === null && this.shortField, h('div', { class: 'editor' }, h('div', {}, this.tabs(), this.general, this.sides, this.bar()), h('aside', { 'aria-label': t('preview') }, h('h2', {}, t('preview')), this.preview)));
    this.formSide();
    if (restored) this.check();
    else this.take(checked);
  }

  private tabs(): HTMLElement {
    const sides = [
      ['tab-form', () => this.formSide()],
      ['tab-text', () => this.textSide()],
    ] as const;
    const buttons = sides.map(([key, show], k) => h('button', { type: 'button', 'aria-pressed': String(k === 0), onclick: () => press(k, show) }, t(key)));
    const press = (pressed: number, show: () => void) => {
      buttons.forEach((button, k) => button.setAttribute('aria-pressed', String(k === pressed)));
      show();
    };
    return h('div', { class: 'tabs', role: 'group', 'aria-label': t('template-as') }, ...buttons);
  }

  private formSide(): void {
    const { draft } = this;
    if (typeof draft === 'string') replace(this.sides, notice(t('text-broken', { detail: draft }), 'bad'));
    else replace(this.sides, templateForm(draft, () => this.filled(draft)));
    this.tell();
  }

  private textSide(): void {
    this.area.value = this.text;
    replace(this.sides, field(t('f-text'), this.area, { hint: t('f-text-hint') }));
    this.tell();
  }

  /** The form was changed. */
  private filled(draft: Draft): void {
    this.changed(text(draft));
    const { name } = draft.achievement;
    if (this.name !== null || typeof name !== 'string') return;
    // It follows the title until it is written by hand.
    if (this.short.value === slug(this.title)) this.short.value = slug(name);
    this.title = name;
  }

  /** The text was changed. */
  private written(): void {
    this.draft = read(this.area.value);
    this.changed(this.area.value);
  }

  private changed(text: string): void {
    this.text = text;
    unsaved.set(this.name ?? '', text);
    this.check();
  }

  /** Asks the server what it makes of it. An answer that was overtaken is not looked at. */
  private async ask(): Promise<void> {
    const mine = (this.asked += 1);
    const checked = await post<Checked>('templates/preview', { text: this.text }, this.stage.signal);
    if (mine === this.asked) this.take(checked);
  }

  private take(checked: Checked): void {
    this.checked = checked;
    this.tell();
    if (checked.preview) {
      replace(this.preview, card(checked.preview));
    } else if (!this.preview.querySelector('.card')) {
      replace(this.preview, h('p', { class: 'quiet sheet' }, t('preview-none')));
    } else if (!this.preview.querySelector('.notice')) this.preview.prepend(notice(t('preview-stale')));
  }

  /** Shows each fault at its field, and the others above. */
  private tell(): void {
    const { faults } = this.checked;
    const left = this.sides.querySelector('form') ? spread(this.sides, faults, this.all) : faults;
    const shown = this.all ? left : left.filter(({ path }) => path !== '' && !path.startsWith('achievement'));
    replace(this.general, shown.length > 0 && list(shown));
  }

  private bar(): HTMLElement {
    const remove = this.name !== null && act(t('delete'), async () => this.confirmDelete(this.name ?? ''), 'quiet-button');
    return h('div', { class: 'row bar' }, act(t('save'), () => this.save(), 'main'), h('a', { class: 'button', href: to(['templates']) }, t('back')), remove);
  }

  private async save(): Promise<void> {
    const name = this.name ?? this.short.value.trim();
    this.all = true;
    blame(this.shortField, NAME.test(name) ? '' : t('f-short-wrong'));
    if (!NAME.test(name)) return this.short.focus();
    const mine = this.text;
    if (this.name === null && (await isThere(name))) {
      blame(this.shortField, t('f-short-taken'));
      return this.short.focus();
    }
    const saved = await put<Template>(path(['templates', name]), { text: mine });
    this.take(saved);
    if (this.text === mine) unsaved.delete(this.name ?? '');
    const { length } = saved.faults;
    tell(length === 0 ? t('template-saved') : t('template-saved-faults', { count: length }));
    if (this.name === null) go(to(['templates', name]));
    else if (length > 0) this.toFirstFault();
  }

  private toFirstFault(): void {
    const first = this.sides.querySelector<HTMLElement>('[aria-invalid]');
    if (first) first.focus();
    else this.general.scrollIntoView({ block: 'center' });
  }

  private confirmDelete(name: string): void {
    const gone = async () => {
      await remove(path(['templates', name]));
      unsaved.delete(name);
      go(to(['templates']));
    };
    ask(t('template-delete', { name }), (close) => [h('p', {}, t('template-delete-means')), h('div', { class: 'row' }, act(t('delete'), gone, 'danger'), leave(close))]);
  }

  private trouble(error: unknown): void {
    if (!this.stage.signal.aborted) replace(this.general, notice(why(error), 'bad'));
  }
}

/** A new template must not take the place of one that is there. */
async function isThere(name: string): Promise<boolean> {
  const { templates } = await get<{ templates: TemplateCard[] }>('templates');
  return templates.some((one) => one.name === name);
}

function list(faults: Fault[]): Child {
  const one = (fault: Fault) => h('li', {}, fault.path !== '' && h('code', {}, fault.path), ' ', said(fault));
  return h('div', { class: 'notice bad' }, h('p', {}, t('faults', { count: faults.length })), h('ul', {}, ...faults.map(one)));
}

/** A name for files and addresses out of a title. */
function slug(title: string): string {
  const plain = title.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 64);
}
