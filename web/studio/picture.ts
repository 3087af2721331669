/** The picture of a template: a PNG or SVG file that becomes a part of it, and of each credential. */

import { h, replace } from '../src/dom';
import { carried } from '../src/credential';
import { number } from '../src/i18n';
import { blame, field, fresh } from './parts';
import { type Table, isTable } from './toml';
import { t } from './words';

/** Bytes; the server takes no more either. */
const MOST = 1 << 20;
const TYPES = ['image/png', 'image/svg+xml'];

export function pictureField(achievement: Table, changed: () => void): HTMLElement {
  const image = isTable(achievement['image']) ? achievement['image'] : {};
  const id = fresh();
  const shown = h('div', { class: 'shown' });
  const input = h('input', { type: 'file', id, class: 'hidden', accept: TYPES.join(','), onchange: () => void choose() });
  const caption = h('input', { autocomplete: 'off' });
  caption.value = String(image['caption'] ?? '');
  caption.addEventListener('input', () => set({ caption: caption.value.trim() === '' ? undefined : caption.value }));
  const captionField = field(t('f-caption'), caption, { hint: t('f-caption-hint'), path: 'image.caption' });
  const place = h('div', { class: 'field', 'data-path': 'image' }, h('span', { class: 'label' }, t('f-image')), h('div', { class: 'row' }, shown, h('span', { class: 'pick' }, input, h('label', { for: id, class: 'button' }, t('f-image-choose')))), h('p', { class: 'hint' }, t('f-image-hint')), h('p', { class: 'error', role: 'alert' }), captionField);
  draw();
  return place;

  async function choose(): Promise<void> {
    const [file] = input.files ?? [];
    input.value = '';
    if (!file) return;
    const wrong = fault(file);
    blame(place, wrong);
    if (wrong === '') set({ id: await dataUrl(file) });
  }

  function set(members: Table): void {
    Object.assign(image, members);
    for (const [name, value] of Object.entries(image)) if (value === undefined) delete image[name];
    if (image['id'] === undefined) delete achievement['image'];
    else achievement['image'] = image;
    draw();
    changed();
  }

  function draw(): void {
    const source = image['id'] === undefined ? '' : String(image['id']);
    captionField.hidden = source === '';
    const seen = carried(source) ? h('img', { src: source, alt: caption.value || t('f-image'), class: 'picture' }) : source !== '' && h('code', {}, source);
    const away = source !== '' && h('button', { type: 'button', class: 'quiet-button', onclick: () => set({ id: undefined, caption: undefined }) }, t('f-image-remove'));
    replace(shown, seen, away);
  }
}

/** Why a file is no picture for this; nothing where it is. */
function fault({ type, size }: File): string {
  if (!TYPES.includes(type)) return t('f-image-type');
  return size > MOST ? t('f-image-large', { size: number(size / MOST, 1) }) : '';
}

function dataUrl(file: File): Promise<string> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.onerror = () => failed(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
}
