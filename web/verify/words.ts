/** The words of this page. */

import { translator } from '../src/i18n';
import en from './en.json';
import es from './es.json';

export type Key = keyof typeof en;

export const t = translator({ en, es });

/** Words for what the verifier calls by a name that is only known when it is told; `undefined` where there are none. */
export function known(key: string, parameters: Record<string, string | number> = {}): string | undefined {
  return Object.hasOwn(en, key) ? t(key as Key, parameters) : undefined;
}
