/** The fields of a template. Each writes what it says into the draft at once. */

import { h } from '../src/dom';
import { area, bound, commas, line, pair } from './controls';
import { type Draft, list, place } from './draft';
import { blame, choice, field } from './parts';
import { pictureField } from './picture';
import { results } from './results';
import { rows } from './rows';
import type { Fault } from './shapes';
import { type Table, isTable } from './toml';
import { validityField } from './validity';
import { type Key, named, t } from './words';

const KINDS = [
  'Achievement', 'Assessment', 'Assignment', 'Award', 'BachelorDegree', 'Badge', 'Certificate', 'CertificateOfCompletion', 'Certification', 'Competency', 'Course',
  'Degree', 'Diploma', 'DoctoralDegree', 'License', 'MasterDegree', 'Membership', 'MicroCredential',
];
const IDENTITIES: [value: string, key: Key][] = [
  ['', 'identity-known'],
  ['email', 'identity-email'],
  ['email,name', 'identity-email-name'],
  ['name', 'identity-name'],
  ['did', 'identity-did'],
  ['none', 'identity-none'],
];

/** The form of a draft; `changed` is called after each change. */
export function templateForm({ settings, achievement }: Draft, changed: () => void): HTMLElement {
  const criteria = isTable(achievement['criteria']) ? achievement['criteria'] : {};
  const criteriaChanged = () => {
    if (Object.keys(criteria).length > 0) achievement['criteria'] = criteria;
    else delete achievement['criteria'];
    changed();
  };
  const form = h(
    'form',
    { class: 'fields', novalidate: true, onsubmit: (event) => event.preventDefault() },
    field(t('f-name'), bound(achievement, 'name', line(), changed), { path: 'name' }),
    field(t('f-description'), bound(achievement, 'description', area(3), changed), { path: 'description', hint: t('f-description-hint') }),
    field(t('f-criteria'), bound(criteria, 'narrative', area(5), criteriaChanged), { path: 'criteria', hint: t('f-criteria-hint') }),
    field(t('f-criteria-url'), bound(criteria, 'id', line('url'), criteriaChanged), { path: 'criteria.id' }),
    pictureField(achievement, changed),
    section(
      'f-more',
      pair(
        field(t('f-kind'), bound(achievement, 'achievementType', kinds(achievement), changed), { path: 'achievementType' }),
        field(t('f-credits'), bound(achievement, 'creditsAvailable', h('input', { inputmode: 'decimal', autocomplete: 'off' }), changed, number), { path: 'creditsAvailable' }),
      ),
      pair(
        field(t('f-field'), bound(achievement, 'fieldOfStudy', line(), changed), { path: 'fieldOfStudy' }),
        field(t('f-specialization'), bound(achievement, 'specialization', line(), changed), { path: 'specialization' }),
      ),
      pair(
        field(t('f-code'), bound(achievement, 'humanCode', line(), changed), { path: 'humanCode' }),
        field(t('f-version'), bound(achievement, 'version', line(), changed), { path: 'version' }),
      ),
      pair(
        field(t('f-language'), bound(achievement, 'inLanguage', line(), changed), { path: 'inLanguage', hint: t('f-language-hint') }),
        field(t('f-tags'), bound(achievement, 'tag', line(), changed, commas), { path: 'tag', hint: t('f-tags-hint') }),
      ),
    ),
    rows(t('f-skills'), t('f-skills-hint'), { table: achievement, member: 'alignment', add: t('f-skill-add') }, skill, changed),
    results(achievement, changed),
    section('f-making', validityField(settings, changed), field(t('f-identity'), identity(settings, changed), { path: 'identity', hint: t('f-identity-hint') })),
  );
  // Nobody is blamed for what was not got to yet.
  form.addEventListener('focusout', ({ target }) => (target as Element).closest('.field')?.setAttribute('data-left', ''));
  return form;
}

/** Puts each fault at its field, where it was left already or `all` are told; answers those that have no field. */
export function spread(form: Element, faults: Fault[], all: boolean): Fault[] {
  const fields = [...form.querySelectorAll<HTMLElement>('[data-path]')];
  const at = new Map<Element, string[]>(fields.map((field) => [field, []]));
  const left = faults.filter((fault) => {
    const field = nearest(fields, place(fault.path));
    if (field) at.get(field)?.push(said(fault));
    return !field;
  });
  for (const [field, told] of at) blame(field, all || field.hasAttribute('data-left') ? told.join(' ') : '');
  return left;
}

/** A fault as a sentence. */
export function said({ what, help }: Fault): string {
  const sentence = what === 'it is missing' ? t('fault-missing') : `${what}: ${help}.`;
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** The field of a place, or of the nearest one around it. */
function nearest(fields: HTMLElement[], at: string): HTMLElement | undefined {
  const covers = (path: string) => at === path || at.startsWith(`${path}.`) || at.startsWith(`${path}[`);
  const found = fields.filter((field) => covers(field.dataset['path'] ?? ''));
  return found.sort((a, b) => (b.dataset['path'] ?? '').length - (a.dataset['path'] ?? '').length)[0];
}

function skill(table: Table, at: string, changed: () => void): HTMLElement[] {
  return [
    field(t('f-skill-name'), bound(table, 'targetName', line(), changed), { path: `${at}.targetName` }),
    field(t('f-skill-url'), bound(table, 'targetUrl', line('url'), changed), { path: `${at}.targetUrl` }),
    pair(
      field(t('f-skill-framework'), bound(table, 'targetFramework', line(), changed), { path: `${at}.targetFramework` }),
      field(t('f-skill-code'), bound(table, 'targetCode', line(), changed), { path: `${at}.targetCode` }),
    ),
  ];
}

/** A number as people write it; what is none stays text, and the server says what is wrong with it. */
function number(text: string): unknown {
  const value = Number(text.trim().replace(',', '.'));
  return Number.isFinite(value) ? value : text;
}

function section(key: Key, ...content: HTMLElement[]): HTMLElement {
  return h('fieldset', {}, h('legend', {}, t(key)), ...content);
}

function kinds(achievement: Table): HTMLSelectElement {
  const own = list(achievement['achievementType']).map(String).filter((kind) => !KINDS.includes(kind));
  return choice([['', t('f-kind-none')], ...[...KINDS, ...own].map((kind): [string, string] => [kind, named('kind', kind)])], String(achievement['achievementType'] ?? ''));
}

function identity(settings: Table, changed: () => void): HTMLSelectElement {
  const now = list(settings['identity']).join(',');
  const known = IDENTITIES.some(([value]) => value === now);
  const options = IDENTITIES.map(([value, key]): [string, string] => [value, t(key)]);
  const select = choice(known ? options : [...options, [now, now]], now, () => {
    const chosen = select.value.split(',').filter(Boolean);
    if (chosen.length === 0) delete settings['identity'];
    else settings['identity'] = chosen.length === 1 ? chosen[0] : chosen;
    changed();
  });
  return select;
}
