/** Controls that write into a table what is written into them. */

import { h } from '../src/dom';
import type { Control } from './parts';
import type { Table } from './toml';

/** A control that shows a member, and writes it. */
export function bound<C extends Control>(table: Table, member: string, control: C, changed: () => void, parse: (text: string) => unknown = (text) => text): C {
  const value = table[member];
  if (value !== undefined) control.value = Array.isArray(value) ? value.join(', ') : String(value);
  control.addEventListener('input', () => {
    const written = control.value.trim() === '' ? undefined : parse(control.value);
    if (written === undefined) delete table[member];
    else table[member] = written;
    changed();
  });
  return control;
}

export function commas(text: string): string[] | undefined {
  const words = text.split(',').map((word) => word.trim()).filter((word) => word !== '');
  return words.length > 0 ? words : undefined;
}

export function line(type = 'text'): HTMLInputElement {
  return h('input', { type: 'text', autocomplete: 'off', ...(type === 'url' && { inputmode: 'url', autocapitalize: 'none', spellcheck: 'false' }) });
}

export function area(rows: number): HTMLTextAreaElement {
  return h('textarea', { class: 'prose', rows });
}

export function pair(...fields: HTMLElement[]): HTMLElement {
  return h('div', { class: 'pair' }, ...fields);
}
