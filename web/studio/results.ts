/** Results that a roster may give with a template: a grade, points, a level. */

import { bound, commas, line, pair } from './controls';
import { type Draft, list } from './draft';
import { choice, field } from './parts';
import { rows } from './rows';
import { type Table, isTable } from './toml';
import { named, t } from './words';

const TYPES = ['LetterGrade', 'Percent', 'GradePointAverage', 'RawScore', 'RubricCriterionLevel', 'Status', 'Result'];
/** The kind whose values are levels, which may say more of themselves than their name. */
const LEVELS = 'RubricCriterionLevel';

export function results(achievement: Draft['achievement'], changed: () => void): HTMLElement {
  return rows(t('f-results'), t('f-results-hint'), { table: achievement, member: 'resultDescription', add: t('f-result-add') }, result, changed);
}

function result(table: Table, at: string, changed: () => void): HTMLElement[] {
  table['resultType'] ??= 'LetterGrade';
  const type = String(table['resultType']);
  const options = [...new Set([...TYPES, type])].map((kind): [string, string] => [kind, named('result', kind)]);
  const values = line();
  values.value = list(table['allowedValue'] ?? table['rubricCriterionLevel']).map(nameOf).join(', ');
  const required = line();
  required.value = String(table['requiredValue'] ?? table['requiredLevel'] ?? '');
  const write = () => {
    fill(table, commas(values.value), required.value.trim());
    changed();
  };
  for (const input of [values, required]) input.addEventListener('input', write);
  return [
    pair(
      field(t('f-result-name'), bound(table, 'name', line(), changed), { path: `${at}.name` }),
      field(t('f-result-kind'), bound(table, 'resultType', choice(options, type), write), { path: `${at}.resultType` }),
    ),
    pair(
      field(t('f-result-values'), values, { path: `${at}.allowedValue`, hint: t('f-result-values-hint') }),
      field(t('f-result-required'), required, { path: `${at}.requiredValue` }),
    ),
  ];
}

/** Values and the least of them, under the names that the kind has for them. */
function fill(table: Table, values: string[] | undefined, required: string): void {
  const isLevels = table['resultType'] === LEVELS;
  const before = list(table['rubricCriterionLevel']);
  for (const member of ['allowedValue', 'requiredValue', 'rubricCriterionLevel', 'requiredLevel']) delete table[member];
  if (values) table[isLevels ? 'rubricCriterionLevel' : 'allowedValue'] = isLevels ? values.map((name) => before.find((level) => nameOf(level) === name) ?? name) : values;
  if (required !== '') table[isLevels ? 'requiredLevel' : 'requiredValue'] = required;
}

function nameOf(level: unknown): string {
  return String(isTable(level) ? level['name'] : level);
}
