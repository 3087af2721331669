/** The signs of the three verdicts: told apart by shape, not only by colour. */

import { s } from './dom';

export type Kind = 'good' | 'bad' | 'unsure' | 'none';

const PATHS: Record<Kind, string> = {
  good: 'M6.5 12.5l3.7 3.7 7.3-8',
  bad: 'M7.5 7.5l9 9m0-9l-9 9',
  unsure: 'M9 9.2a3 3 0 1 1 4.4 2.7c-1 .5-1.4 1-1.4 2.1m0 3v.1',
  none: 'M7.5 12h9',
};

export const VERDICTS = { valid: 'good', invalid: 'bad', unverifiable: 'unsure' } as const;
export const OUTCOMES = { pass: 'good', fail: 'bad', unknown: 'unsure', 'not applicable': 'none' } as const;

export function sign(kind: Kind): SVGElement {
  const circle = s('circle', { cx: 12, cy: 12, r: 11 });
  return s('svg', { class: `sign ${kind}`, viewBox: '0 0 24 24', 'aria-hidden': 'true' }, circle, s('path', { d: PATHS[kind] }));
}
