/** Which of the pages is shown: `/explore`, `/explore/issuers/{account}`, `/explore/batches/{root}`. */

import '../src/style.css';
import './style.css';
import { h } from '../src/dom';
import { layout, ofTheNode } from '../src/layout';
import { batch } from './batch';
import { issuer } from './issuer';
import { overview } from './overview';
import { notice } from './parts';
import { t } from './words';

type View = (main: HTMLElement) => Promise<void>;

const [title, view] = choose(location.pathname.split('/').filter(Boolean).slice(1));
const main = layout(title, ofTheNode(), h('h1', {}, title));
main.setAttribute('aria-busy', 'true');
view(main)
  .catch((error: unknown) => main.append(notice(t('failed', { detail: (error as Error).message }), 'bad')))
  .finally(() => main.removeAttribute('aria-busy'));

function choose([kind, name, ...rest]: string[]): [string, View] {
  if (kind === undefined) return [t('title'), overview];
  if (name !== undefined && rest.length === 0) {
    if (kind === 'issuers') return [t('issuer-title'), (main) => issuer(main, name.toLowerCase())];
    if (kind === 'batches') return [t('batch-title', { number: '' }), (main) => batch(main, name.toLowerCase())];
  }
  return [t('not-found'), async (main) => main.append(h('p', {}, h('a', { href: '/explore' }, t('back'))))];
}
