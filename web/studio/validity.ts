/** For how long credentials are valid: a number of years, months or days, or up to a date. */

import { h, replace } from '../src/dom';
import { choice, fresh } from './parts';
import type { Table } from './toml';
import { t } from './words';

const UNITS = ['years', 'months', 'days'] as const;
type Form = '' | (typeof UNITS)[number] | 'date' | 'other';

/** What a text says; `other` where this form cannot say it. */
export function validity(text: unknown): { form: Form; value: string } {
  if (text === undefined) return { form: '', value: '' };
  const whole = String(text).trim();
  if (/^\d{4}-\d\d-\d\d$/.test(whole)) return { form: 'date', value: whole };
  const [, value, word = ''] = /^(\d+)\s*([a-z]+)$/i.exec(whole) ?? [];
  const unit = UNITS.find((unit) => [unit, unit.slice(0, -1), unit[0], unit.slice(0, 2)].includes(word.toLowerCase()));
  // “2m” is neither minutes nor months.
  return value !== undefined && unit !== undefined && word.toLowerCase() !== 'm' ? { form: unit, value } : { form: 'other', value: whole };
}

export function validityField(settings: Table, changed: () => void): HTMLElement {
  const now = validity(settings['validity']);
  const id = fresh();
  const place = h('span', { class: 'grow' });
  const options: [string, string][] = (['', ...UNITS, 'date', ...(now.form === 'other' ? ['other'] : [])] as Form[]).map((form) => [form, t(form === '' ? 'validity-ever' : `validity-${form}`)]);
  const select = choice(options, now.form, () => {
    const form = select.value as Form;
    input(form, form === 'years' ? '2' : form === 'months' ? '18' : form === 'days' ? '90' : '');
    write();
  });
  select.id = id;
  let control = h('input');
  const input = (form: Form, value: string) => {
    const type = form === 'date' ? 'date' : form === 'other' ? 'text' : 'number';
    control = h('input', { type, value, 'aria-label': t('validity-value'), oninput: () => write(), ...(type === 'number' && { min: 1, max: 999 }) });
    replace(place, form !== '' && control);
  };
  const write = () => {
    const form = select.value as Form;
    const value = control.value.trim();
    if (form === '' || value === '') delete settings['validity'];
    else settings['validity'] = form === 'date' || form === 'other' ? value : `${value} ${form}`;
    changed();
  };
  input(now.form, now.value);
  const fault = h('p', { class: 'error', 'aria-live': 'polite' });
  return h('div', { class: 'field', 'data-path': 'validity' }, h('label', { for: id }, t('f-validity')), h('div', { class: 'row' }, select, place), h('p', { class: 'hint' }, t('f-validity-hint')), fault);
}
