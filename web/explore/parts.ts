/** Small parts that several of these pages show. */

import { h } from '../src/dom';
import type { Batch, Stage } from './api';
import { t } from './words';

export { chain, facts, notice, short, table, when } from '../src/parts';

export function issuerPage(address: string): string {
  return `/explore/issuers/${address}`;
}

export function batchPage(root: string): string {
  return `/explore/batches/${root}`;
}

export function badge(state: Stage): HTMLElement {
  const kind = state === 'final' ? 'good' : state === 'open' || state === 'sealed' ? '' : 'under-way';
  return h('span', { class: `badge ${kind}` }, t(`state-${state}`));
}

/** A batch's share of the gas of the transaction that carried it. */
export function gasOf({ cost }: Batch): number | null {
  return cost === undefined ? null : Math.round(cost.gasUsed / Math.max(cost.batches, 1));
}

/** Seconds from sealed to in a block, and on to final. */
export function waits({ sealedAt, anchor, finalAt }: Batch): [number | null, number | null] {
  const at = (iso: string | undefined) => (iso === undefined ? null : Date.parse(iso) / 1000);
  const [sealed, block, final] = [at(sealedAt), at(anchor?.time), at(finalAt)];
  // A block's time may be a little before the clock of the node: that is no negative wait.
  const between = (from: number | null, to: number | null) => (from === null || to === null ? null : Math.max(to - from, 0));
  return [between(sealed, block), between(block, final)];
}
