/** All templates, as cards. */

import { told } from '../src/credential';
import { type Child, append, h, replace } from '../src/dom';
import { emblem, kindOf } from './card';
import { get, path } from './api';
import { to } from './router';
import type { Template, TemplateCard } from './shapes';
import { type Stage, may } from './stage';
import { t } from './words';

export async function templates({ main, who, signal }: Stage): Promise<void> {
  const { templates } = await get<{ templates: TemplateCard[] }>('templates', signal);
  const mayEdit = may(who, 'issuer');
  const create = mayEdit && h('a', { class: 'button main', href: to(['new-template']) }, t('template-new'));
  append(main, h('p', { class: 'lead' }, t('templates-lead')), create && h('p', {}, create));
  if (templates.length === 0) return append(main, h('p', { class: 'quiet empty' }, t(mayEdit ? 'templates-none' : 'templates-none-viewer')));
  append(main, h('ul', { class: 'cards' }, ...templates.map((one) => item(one, mayEdit, signal))));
}

function item({ name, title, faults }: TemplateCard, mayIssue: boolean, signal: AbortSignal): HTMLElement {
  const link = to(['templates', name]);
  const broken = faults > 0;
  const foot: Child[] = broken
    ? [h('span', { class: 'badge bad' }, t('template-faults', { count: faults }))]
    : [mayIssue && h('a', { href: to(['issue'], { template: name }) }, t('template-issue'))];
  const picture = h('span', { class: 'emblem' }, emblem(undefined, title ?? name));
  const [kind, about] = [h('span', { class: 'quiet kinds' }), h('p', { class: 'quiet clipped' })];
  if (!broken) void fill(name, { picture, kind, about }, signal).catch(() => undefined);
  return h(
    'li',
    { class: 'sheet' },
    h('a', { class: 'whole', href: link }, picture, h('span', {}, h('strong', {}, title ?? name), kind)),
    about,
    h('div', { class: 'row foot' }, h('code', {}, name), ...foot),
  );
}

/** What the list does not say: picture, kind and description. Without them the card is as good. */
export async function fill(name: string, into: { picture: Element; kind: Element; about: Element }, signal: AbortSignal): Promise<void> {
  const { preview } = await get<Template>(path(['templates', name]), signal);
  if (!preview) return;
  const shown = told(preview);
  replace(into.picture, emblem(shown.picture, shown.title));
  replace(into.kind, shown.kinds.filter((kind) => kind !== 'OpenBadgeCredential').map(kindOf).join(' · '));
  replace(into.about, shown.description);
}
