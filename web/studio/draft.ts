/**
 * A template as the form works on it: the TOML text read into a table, under the full names of Open Badges, with the
 * achievement in a table of its own. What the form does not show stays as it is.
 */

import { TomlError, parse } from 'smol-toml';
import { type Table, isTable, write } from './toml';

export interface Draft {
  settings: Table;
  achievement: Table;
}

/** The shorter names that templates may use, in each class that the form shows. */
const ALIASES = {
  achievement: {
    kind: 'achievementType',
    skills: 'alignment',
    credits: 'creditsAvailable',
    field: 'fieldOfStudy',
    code: 'humanCode',
    language: 'inLanguage',
    tags: 'tag',
    results: 'resultDescription',
  },
  alignment: { name: 'targetName', url: 'targetUrl', framework: 'targetFramework', kind: 'targetType', code: 'targetCode', description: 'targetDescription' },
  criteria: { url: 'id' },
  resultDescription: { kind: 'resultType', allowed: 'allowedValue', levels: 'rubricCriterionLevel', skills: 'alignment' },
} as const satisfies Record<string, Record<string, string>>;

type Class = keyof typeof ALIASES;

const SETTINGS = ['id', 'validity', 'identity', 'evidence'];

/** Reads a text; a `string` says why it cannot be shown as a form. */
export function read(text: string): Draft | string {
  try {
    return arranged(parse(text));
  } catch (error) {
    if (error instanceof TomlError) return `${error.line}:${error.column}: ${error.message.split('\n')[0] ?? ''}`;
    throw error;
  }
}

export function text({ settings, achievement }: Draft): string {
  return write({ ...settings, achievement }).trimStart();
}

/** Where a fault is, in the form's own words: `alignment[0].targetUrl`. */
export function place(path: string): string {
  let known: Record<string, string> = ALIASES.achievement;
  const parts = path.replace(/^achievement\./, '').split('.').map((part) => {
    const [name = '', index = ''] = part.split(/(?=\[)/, 2);
    const full = known[name] ?? name;
    known = full in ALIASES ? ALIASES[full as Class] : {};
    return full + index;
  });
  // A picture's own members are one field.
  return parts.join('.').replace(/^image\.id$/, 'image').replace(/^achievement$/, '');
}

function arranged(whole: Table): Draft {
  const inOne = !isTable(whole['achievement']);
  const isSetting = ([name, value]: [string, unknown]) => SETTINGS.includes(name) && !(name === 'id' && String(value).includes(':'));
  const settings = inOne ? Object.entries(whole).filter(isSetting) : Object.entries(whole).filter(([name]) => name !== 'achievement');
  const members = inOne ? Object.fromEntries(Object.entries(whole).filter((member) => !isSetting(member))) : (whole['achievement'] as Table);
  return { settings: Object.fromEntries(settings), achievement: achievement(renamed('achievement', members)) };
}

/** Bare texts become the tables that they stand for. */
function achievement(members: Table): Table {
  const { criteria, image, tag, alignment, resultDescription } = members;
  return {
    ...members,
    ...(criteria !== undefined && { criteria: isTable(criteria) ? renamed('criteria', criteria) : { [/^https?:/.test(String(criteria)) ? 'id' : 'narrative']: criteria } }),
    ...(image !== undefined && { image: isTable(image) ? image : { id: image } }),
    ...(tag !== undefined && { tag: list(tag) }),
    ...(alignment !== undefined && { alignment: tables('alignment', alignment) }),
    ...(resultDescription !== undefined && { resultDescription: tables('resultDescription', resultDescription) }),
  };
}

function tables(of: Class, value: unknown): unknown[] {
  return list(value).map((one) => (isTable(one) ? renamed(of, one) : one));
}

function renamed(of: Class, table: Table): Table {
  const names: Record<string, string> = ALIASES[of];
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [names[name] ?? name, value]));
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value];
}
