/** The words of these pages. */

import { translator } from '../src/i18n';
import en from './en.json';
import es from './es.json';

export type Key = keyof typeof en;

export const t = translator({ en, es });

/** Words for what is only known when it is told; `undefined` where there are none. */
export function known(key: string): Key | undefined {
  return Object.hasOwn(en, key) ? (key as Key) : undefined;
}
