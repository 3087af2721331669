/** Writes a table as TOML that people like to read: short values first, long texts over several lines. */

import { TomlDate } from 'smol-toml';

export type Table = { [member: string]: unknown };

export function write(table: Table, path: string[] = []): string {
  const members = Object.entries(table).filter(([, value]) => value !== undefined && value !== null);
  const isBelow = ([, value]: [string, unknown]) => isTable(value) || isTables(value);
  const lines = members.filter((member) => !isBelow(member)).map(([name, value]) => `${key(name)} = ${inline(value)}\n`);
  return lines.join('') + members.filter(isBelow).map(([name, value]) => below([...path, name], value)).join('');
}

/** Whether it is a table, and not a date. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isTables(value: unknown): value is Table[] {
  return Array.isArray(value) && value.length > 0 && value.every(isTable);
}

function below(path: string[], value: unknown): string {
  const name = path.map(key).join('.');
  if (isTables(value)) return value.map((one) => `\n[[${name}]]\n${write(one, path)}`).join('');
  return `\n[${name}]\n${write(value as Table, path)}`;
}

function inline(value: unknown): string {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (value instanceof TomlDate) return value.toISOString();
  if (isTable(value)) return `{ ${Object.entries(value).map(([name, member]) => `${key(name)} = ${inline(member)}`).join(', ')} }`;
  return String(value);
}

/** Three quotes where there are several lines; then only what they would end must be escaped. */
function text(value: string): string {
  if (!value.includes('\n')) return escaped(value);
  const lines = value.replace(/\r\n?/g, '\n').split('\n').map((line) => escaped(line).slice(1, -1).replaceAll('\\"', '"').replaceAll('""', '"\\"'));
  return `"""\n${lines.join('\n')}"""`;
}

/** TOML's basic strings escape as JSON does, and the one control character that JSON leaves. */
function escaped(value: string): string {
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
}

function key(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : escaped(name);
}
