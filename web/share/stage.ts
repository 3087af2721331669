/** Where the content of a page is shown. */

import type { Child } from '../src/dom';
import type { LinkFault } from './address';

export interface Stage {
  show(...content: Child[]): void;
  /** Says what is under way. */
  wait(what: string): void;
  /** Does something; shows what went wrong, with a way to try again where that may help. */
  attempt(work: () => Promise<void>): Promise<void>;
  /** Shows what is wrong with the link. */
  fail(fault: LinkFault): void;
}
