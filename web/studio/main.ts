/** The studio: where those who issue credentials and look after them do so without a terminal. */

import '../src/style.css';
import './style.css';
import { h } from '../src/dom';
import { Refusal, get, whenEnded } from './api';
import { audit } from './audit';
import { credential } from './credential';
import { credentials } from './credentials';
import { frame } from './frame';
import { issue } from './issue';
import { overview } from './overview';
import { notice, why } from './parts';
import { people } from './people';
import { type Place, follow, here } from './router';
import { run, runs } from './run';
import type { Role, Who } from './shapes';
import { signIn } from './sign-in';
import { type View, may } from './stage';
import { newTemplate, template } from './template';
import { templates } from './templates';
import { type Key, t } from './words';

/** A view: its title, and the least role that sees it. */
type Known = [title: Key, view: View, least: Role];

const VIEWS: Record<string, { all: Known; one?: Known }> = {
  '': { all: ['overview', overview, 'viewer'] },
  templates: { all: ['templates', templates, 'viewer'], one: ['template', template, 'viewer'] },
  'new-template': { all: ['template-new', newTemplate, 'issuer'] },
  issue: { all: ['issue', issue, 'issuer'] },
  runs: { all: ['runs', runs, 'viewer'], one: ['run', run, 'viewer'] },
  credentials: { all: ['credentials', credentials, 'viewer'], one: ['credential', credential, 'viewer'] },
  people: { all: ['people', people, 'admin'] },
  audit: { all: ['audit', audit, 'admin'] },
};
const NOWHERE: Known = ['not-found', async ({ main }) => main.append(h('p', {}, h('a', { href: '#/' }, t('not-found-back')))), 'viewer'];

let who: Who | null = null;
let leaving = new AbortController();

whenEnded(() => void start());
await start();
follow((place, first) => void (first || show(place, true)));

/** Asks who is signed in, and shows what that person came for. */
async function start(): Promise<void> {
  leaving.abort();
  try {
    who = await get<Who>('session');
    await show(here(), false);
  } catch (error) {
    who = null;
    if (error instanceof Refusal && error.status === 401) signIn(error.problem, start);
    else frame(t('studio'), null, '', h('h1', {}, t('studio')), notice(why(error), 'bad'));
  }
}

async function show(place: Place, moved: boolean): Promise<void> {
  if (who === null) return;
  leaving.abort();
  const { signal } = (leaving = new AbortController());
  const [title, view] = choose(who, place.path);
  const main = frame(t(title), who, place.path[0] ?? '', h('h1', {}, t(title)));
  if (moved) {
    main.focus();
    scrollTo(0, 0);
  }
  main.setAttribute('aria-busy', 'true');
  try {
    await view({ main, place, who, signal });
  } catch (error) {
    if (!signal.aborted) main.append(notice(why(error), 'bad'));
  } finally {
    main.removeAttribute('aria-busy');
  }
}

function choose(who: Who, [kind = '', name, ...rest]: string[]): Known {
  const views = Object.hasOwn(VIEWS, kind) ? VIEWS[kind] : undefined;
  const known = name === undefined ? views?.all : rest.length === 0 ? views?.one : undefined;
  return known !== undefined && may(who, known[2]) ? known : NOWHERE;
}
