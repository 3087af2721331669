/** All templates, as cards. */

import { type Child, append, h } from '../src/dom';
import { emblem } from './card';
import { get } from './api';
import { to } from './router';
import type { TemplateCard } from './shapes';
import { type Stage, may } from './stage';
import { named, t } from './words';

export async function templates({ main, who, signal }: Stage): Promise<void> {
  const { templates } = await get<{ templates: TemplateCard[] }>('templates', signal);
  const mayEdit = may(who, 'issuer');
  const create = mayEdit && h('a', { class: 'button main', href: to(['new-template']) }, t('template-new'));
  append(main, h('p', { class: 'lead' }, t('templates-lead')), create && h('p', {}, create));
  if (templates.length === 0) return append(main, h('p', { class: 'quiet empty' }, t(mayEdit ? 'templates-none' : 'templates-none-viewer')));
  append(main, h('ul', { class: 'cards' }, ...templates.map((one) => item(one, mayEdit))));
}

function item({ name, title, description, image, kind, faults }: TemplateCard, mayIssue: boolean): HTMLElement {
  const link = to(['templates', name]);
  const broken = faults > 0;
  const foot: Child[] = broken
    ? [h('span', { class: 'badge bad' }, t('template-faults', { count: faults }))]
    : [mayIssue && h('a', { href: to(['issue'], { template: name }) }, t('template-issue'))];
  return h(
    'li',
    { class: 'sheet' },
    h('a', { class: 'whole', href: link }, emblem(image ?? undefined, title ?? name), h('span', {}, h('strong', {}, title ?? name), h('span', { class: 'quiet kinds' }, kind ? named('kind', kind) : name))),
    h('p', { class: 'quiet clipped' }, description ?? ''),
    h('div', { class: 'row foot' }, h('code', {}, name), ...foot),
  );
}
