/** What went wrong, in words that help: which part of a link, which page, whose server. Nothing of it speaks against a credential. */

import { h } from '../src/dom';
import type { LinkFault } from './address';
import { SealedFault } from './sealed';
import { ServerFault } from './server';
import { known, t } from './words';

/** What can be told. */
export type Fault = LinkFault | SealedFault | ServerFault | Error;

/** Trying again may help. */
const PASSING = ['unreachable', 'strange', 'internal', 'busy', 'too-slow', 'body-broke-off', 'too-many-requests', 'verifier'];

/** What happened, and what to do now. */
export function trouble(fault: Fault, again: () => void): HTMLElement {
  const name = nameOf(fault);
  const kind = typeof fault === 'string' ? fault : fault instanceof ServerFault || fault instanceof SealedFault ? fault.kind : '';
  const means = h('p', { class: 'quiet' }, t('no-word-against'));
  return h(
    'section',
    { class: 'trouble', role: 'alert' },
    h('h1', { id: 'trouble', tabindex: -1 }, t(known(`${name}-title`) ?? 'fault-other-title')),
    h('p', { class: 'lead' }, t(known(name) ?? 'fault-other', { detail: typeof fault === 'string' ? '' : fault.message, host: location.host })),
    h('p', {}, t(known(`${name}-do`) ?? 'fault-other-do')),
    PASSING.includes(kind) && h('p', {}, h('button', { type: 'button', class: 'main', onclick: again }, t('again'))),
    /^\/[cp]\//.test(location.pathname) && means,
  );
}

/** A sentence for it, where a page is shown already. */
export function sentence(fault: unknown): string {
  const name = nameOf(fault as Fault);
  return t(known(name) ?? 'fault-other', { detail: fault instanceof Error ? fault.message : '', host: location.host });
}

function nameOf(fault: Fault): string {
  if (typeof fault === 'string') return `link-${fault}`;
  if (fault instanceof SealedFault) return `sealed-${fault.kind}`;
  return fault instanceof ServerFault ? `server-${fault.kind}` : 'fault-other';
}
