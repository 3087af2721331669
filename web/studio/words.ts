/** The words of the studio. */

import { translator } from '../src/i18n';
import en from './en.json';
import es from './es.json';

export type Key = keyof typeof en;

export const t = translator({ en, es });

/** Words for what the server calls by a name; the name itself where there are none. */
export function named(group: string, name: string): string {
  const key = `${group}-${name}`;
  return Object.hasOwn(en, key) ? t(key as Key) : name;
}
