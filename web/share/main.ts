/** The pages of learners and of those to whom they show their credentials. What opens a credential stands behind `#`, and stays here. */

import '../src/style.css';
import '../verify/style.css';
import './style.css';
import { type Child, h, replace } from '../src/dom';
import { layout } from '../src/layout';
import { type Address, type Kind, type LinkFault, parse } from './address';
import { claim } from './claim';
import { type Kept, find } from './keep';
import { manage } from './manage';
import { portfolio } from './portfolio';
import { shared } from './shared';
import type { Stage } from './stage';
import { trouble } from './trouble';
import { t } from './words';

const TITLES = { claim: 'title-claim', manage: 'title-manage', c: 'title-c', p: 'title-p' } as const;

const [, kind = 'c', id = ''] = /^\/(claim|manage|c|p)\/([^/]*)/.exec(location.pathname) ?? [];
const place = h('div', { id: 'stage' });
const main = layout(t(TITLES[kind as Kind]), [{ href: '/verify/', text: t('verify') }], place);

const stage: Stage = {
  show(...content: Child[]) {
    main.removeAttribute('aria-busy');
    replace(place, ...content);
  },
  wait(what: string) {
    main.setAttribute('aria-busy', 'true');
    replace(place, h('p', { class: 'lead waiting', role: 'status' }, what), h('progress', { 'aria-label': what }));
  },
  async attempt(work: () => Promise<void>) {
    try {
      await work();
    } catch (fault) {
      stage.show(trouble(fault as Error, () => void stage.attempt(work)));
    }
  },
  fail(fault: LinkFault) {
    stage.show(trouble(fault, () => location.reload()));
  },
};

/** The owner's own browser needs no more of the link than the id. */
function open(address: Address | LinkFault): void {
  const kept = find(id);
  if (kept && (kind === 'claim' || (kind === 'manage' && address === 'absent'))) return manage(stage, kept, false);
  if (typeof address === 'string') return stage.fail(address);
  if (address.kind === 'c') return shared(stage, address);
  if (address.kind === 'p') return portfolio(stage, address);
  const secret = address.secret ?? '';
  if (address.kind === 'claim') return claim(stage, { ...address, token: secret });
  manage(stage, kept ?? stranger(address, secret), false);
}

/** A page that this browser does not know yet. */
function stranger({ id, key }: Address, owner: string): Kept {
  return { id, key, owner, kind: 'credential', title: '', issuer: '' };
}

open(parse(location.href));
addEventListener('hashchange', () => location.reload());
