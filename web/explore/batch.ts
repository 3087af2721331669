/** A batch: how far it has come, what it cost, and what the contract says of it. */

import { type Child, append, h } from '../src/dom';
import { number, span } from '../src/i18n';
import { type Batch, Refusal, anchored, batch as read } from './api';
import { badge, chain, facts, gasOf, issuerPage, notice, waits, when } from './parts';
import { t } from './words';

const FINAL = 'final';

export async function batch(main: HTMLElement, root: string): Promise<void> {
  const told = await read(root).catch((error: unknown) => {
    if (error instanceof Refusal && error.status === 404) return null;
    throw error;
  });
  if (told === null) {
    main.append(h('p', {}, h('code', {}, root)), notice(t('batch-unknown')));
    return;
  }
  const title = t('batch-title', { number: String(told.batch) });
  document.title = `${title} · Testamur`;
  main.querySelector('h1')?.replaceChildren(title);
  append(
    main,
    h('p', { class: 'lead' }, badge(told.state), ` ${t('credentials-count', { count: told.size })}`),
    course(told),
    h('div', { class: 'sheet' }, recorded(told)),
    h('h2', {}, t('contract-says')),
    ...(await stated(told, root)),
  );
}

/** Its three steps, with what lay between them. */
function course(told: Batch): HTMLElement {
  const [block, final] = waits(told);
  const step = (name: string, at: string | undefined, none: string, after: number | null) =>
    h(
      'li',
      { class: at === undefined && none === t('not-yet') ? 'waits' : 'done' },
      h('strong', {}, name),
      at === undefined ? h('span', { class: 'quiet' }, none) : when(at),
      after !== null && h('span', { class: 'quiet' }, t('after', { span: span(after) })),
    );
  const finalNone = told.state === FINAL ? t('not-kept') : t('not-yet');
  return h(
    'ol',
    { class: 'course' },
    step(t('sealed-at'), told.sealedAt, t('not-yet'), null),
    step(t('anchored-at'), told.anchor?.time, t('not-yet'), block),
    step(t('final-at'), told.finalAt, finalNone, final),
  );
}

function recorded(told: Batch): HTMLElement {
  const { root, issuer, anchor } = told;
  return facts([
    [t('root'), root !== undefined && h('code', {}, root)],
    [t('issuer'), h('a', { href: issuerPage(issuer) }, h('code', {}, issuer))],
    [t('block'), anchor !== undefined && number(anchor.block)],
    [t('transaction'), anchor !== undefined && h('code', {}, anchor.transaction)],
    [t('gas'), anchor !== undefined && gas(told)],
    [t('fee'), fee(told)],
  ]);
}

function gas(told: Batch): string {
  const [own, cost] = [gasOf(told), told.cost];
  if (own === null || cost === undefined) return t('not-kept');
  return cost.batches > 1 ? t('gas-share', { gas: own, all: cost.gasUsed, count: cost.batches }) : number(own);
}

/** Its share, in gwei: what the chain's coin is called, the node does not know. */
function fee({ cost }: Batch): string | null {
  if (cost?.feeWei === undefined) return null;
  const gwei = Number(BigInt(cost.feeWei) / BigInt(Math.max(cost.batches, 1))) / 1e9;
  return t('fee-gwei', { gwei: number(gwei, gwei < 1 ? 9 : 0) });
}

async function stated(told: Batch, root: string): Promise<Child[]> {
  if (told.anchor === undefined) return [h('p', { class: 'quiet' }, t('contract-waits'))];
  try {
    const says = await anchored(told.issuer, root);
    const size = t('credentials-count', { count: says.size });
    return [
      h('p', {}, t('contract-agrees', { block: says.at.number, size, anchored: says.block })),
      says.withdrawn && notice(t('contract-withdrawn'), 'bad'),
      h('p', { class: 'quiet' }, t('own-eyes', { registry: says.registry, chain: chain(says.chain) })),
    ];
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'unknown-batch') return [notice(t('contract-silent'))];
    return [notice(t('contract-unseen', { detail: (error as Error).message }))];
  }
}
