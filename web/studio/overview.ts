/** The first view: what was issued lately, what ends soon, how the node is; what to do first where all is new. */

import { type Child, append, h } from '../src/dom';
import { chain, facts } from '../src/parts';
import { date } from './card';
import { get, path } from './api';
import { at, badge } from './parts';
import { to } from './router';
import type { Credentials, Issuer, Listed, Run, TemplateCard } from './shapes';
import { type Stage, may } from './stage';
import { t } from './words';

const MOST = 5;
const SOON_DAYS = 90;

export async function overview({ main, who, signal }: Stage): Promise<void> {
  const credentials = (expiring?: number) => get<Credentials>(path(['credentials'], { limit: MOST, expiring: expiring && `${expiring}d` }), signal);
  const [issuer, { templates }, { runs }, lately, soon] = await Promise.all([
    get<Issuer>('issuer', signal),
    get<{ templates: TemplateCard[] }>('templates', signal),
    get<{ runs: Run[] }>('runs', signal),
    credentials(),
    credentials(SOON_DAYS),
  ]);
  const isFresh = lately.credentials.length === 0;
  append(
    main,
    h('p', { class: 'lead' }, issuer.profile.name),
    isFresh && may(who, 'issuer') && steps(templates.length > 0, issuer),
    !isFresh && may(who, 'issuer') && h('p', { class: 'row' }, h('a', { class: 'button main', href: to(['issue']) }, t('issue-credentials')), h('a', { class: 'button', href: to(['templates']) }, t('templates'))),
    h(
      'div',
      { class: 'halves' },
      panel(t('issued-lately'), lately.credentials.length > 0 ? people(lately.credentials, ({ validFrom }) => date(validFrom)) : h('p', { class: 'quiet' }, t('issued-none')), isFresh ? null : to(['credentials'])),
      panel(t('ends-soon', { days: SOON_DAYS }), soon.credentials.length > 0 ? people(soon.credentials, ({ validUntil }) => date(validUntil)) : h('p', { class: 'quiet' }, t('ends-none')), soon.credentials.length > 0 ? to(['credentials'], { expiring: String(SOON_DAYS) }) : null),
      panel(t('runs-lately'), runs.length > 0 ? latest(runs) : h('p', { class: 'quiet' }, t('runs-none')), runs.length > MOST ? to(['runs']) : null),
      panel(t('issuing-as'), setting(issuer), null),
    ),
  );
}

function panel(title: string, content: Child, all: string | null): HTMLElement {
  return h('section', { class: 'sheet panel' }, h('h2', {}, title), content, all !== null && h('p', {}, h('a', { href: all, 'aria-label': `${t('see-all')}: ${title}` }, t('see-all'))));
}

function people(all: Listed[], when: (one: Listed) => Child): HTMLElement {
  const one = (listed: Listed) => h('li', {}, h('a', { href: to(['credentials', listed.id]) }, listed.name ?? listed.email ?? listed.learner), h('span', { class: 'quiet' }, listed.template), h('span', { class: 'quiet end' }, when(listed)));
  return h('ul', { class: 'lines' }, ...all.map(one));
}

function latest(runs: Run[]): HTMLElement {
  const one = (run: Run) => h('li', {}, h('a', { href: to(['runs', String(run.run)]) }, run.template), h('span', { class: 'quiet' }, t('run-count', { count: run.written })), badge(run.state), h('span', { class: 'quiet end' }, at(run.asked)));
  return h('ul', { class: 'lines' }, ...runs.slice(0, MOST).map(one));
}

function setting({ profile, node, suite, key, mail, share }: Issuer): HTMLElement {
  return facts([
    [t('issuer-name'), profile.name],
    [t('issuer-id'), h('code', {}, profile.id)],
    [t('account'), node.account !== null && h('code', {}, node.account)],
    [t('chain'), node.chain !== null && chain(`eip155:${node.chain}`)],
    [t('suite'), h('span', {}, h('code', {}, suite), trouble(key))],
    [t('node'), h('span', {}, h('span', { class: `badge ${node.ready ? 'good' : 'bad'}` }, t(node.ready ? 'node-ready' : 'node-trouble')), ' ', h('code', {}, node.url), trouble(node.trouble))],
    [t('mail'), t(mail ? 'is-on' : 'is-off')],
    [t('share'), t(share ? 'is-on' : 'is-off')],
  ]);
}

function trouble(text: string | null): Child {
  return text !== null && h('span', { class: 'error below' }, text);
}

/** What is to be done first, one thing after the other; what is done already is struck off. */
function steps(hasTemplate: boolean, { node }: Issuer): HTMLElement {
  const step = (done: boolean, title: string, about: string, way: Child) => h('li', { class: done ? 'done' : undefined }, h('strong', {}, title, done && h('span', { class: 'hidden' }, ` (${t('step-done')})`)), h('p', { class: 'quiet' }, about), !done && way);
  return h(
    'section',
    { class: 'sheet steps' },
    h('h2', {}, t('first-steps')),
    h(
      'ol',
      {},
      step(node.ready, t('step-node'), node.trouble ?? t('step-node-about'), null),
      step(hasTemplate, t('step-template'), t('step-template-about'), h('a', { class: 'button', href: to(['new-template']) }, t('template-new'))),
      step(false, t('step-issue'), t('step-issue-about'), hasTemplate && h('a', { class: 'button', href: to(['issue']) }, t('issue-credentials'))),
    ),
  );
}
