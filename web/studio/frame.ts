/** What surrounds every view: the ways to the others, and who is signed in. */

import { type Child, append, h } from '../src/dom';
import { type Way, layout } from '../src/layout';
import { ownPassword } from './account';
import { remove } from './api';
import { act } from './parts';
import type { Role, Who } from './shapes';
import { may } from './stage';
import { type Key, t } from './words';

const WAYS: [path: string, text: Key, least: Role, also?: string][] = [
  ['', 'overview', 'viewer'],
  ['templates', 'templates', 'viewer', 'new-template'],
  ['issue', 'issue', 'issuer', 'runs'],
  ['credentials', 'credentials', 'viewer'],
  ['people', 'people', 'admin'],
  ['audit', 'audit', 'admin'],
];

/** Lays the page out, and answers the element for the view's content. */
export function frame(title: string, who: Who | null, at: string, ...content: Child[]): HTMLElement {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  const seen = who === null ? [] : WAYS.filter(([, , least]) => may(who, least));
  const ways = seen.map(([path, text, , also]): Way => ({ href: `#/${path}`, text: t(text), current: at === path || at === also }));
  const main = layout(title, ways, ...content);
  const top = document.querySelector('.top > div');
  if (who && top) append(top, signedIn(who));
  append(document.body, h('div', { id: 'told', role: 'status' }));
  return main;
}

function signedIn(who: Who): HTMLElement {
  const about = { class: 'name-of', title: `${who.name} · ${t(`role-${who.role}`)}` };
  const name = who.password ? h('button', { ...about, type: 'button', 'aria-label': `${who.name}: ${t('password-own')}`, onclick: ownPassword }, who.name) : h('span', about, who.name);
  const out = async () => {
    await remove('session');
    location.assign(location.pathname);
  };
  return h('div', { class: 'who' }, name, act(t('sign-out'), out));
}
