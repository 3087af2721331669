/** What a view is given. */

import type { Place } from './router';
import type { Role, Who } from './shapes';

export interface Stage {
  /** Where it draws itself. */
  main: HTMLElement;
  place: Place;
  who: Who;
  /** Aborts once another view is shown. */
  signal: AbortSignal;
}

/** Draws a view; until then the page is busy. */
export type View = (stage: Stage) => Promise<void>;

const RANKS: Role[] = ['viewer', 'issuer', 'admin'];

/** Whether somebody may do what this role may. */
export function may(who: Who, role: Role): boolean {
  return RANKS.indexOf(who.role) >= RANKS.indexOf(role);
}
