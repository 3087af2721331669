/** What a portfolio says: a title, a few words, and the links of credentials. Others may have written it: all of it is hostile input. */

import { code } from './code';
import { SealedFault } from './sealed';

/** More are not shown. */
const MOST = 100;

export interface Entry {
  id: string;
  key: string;
}

export interface Portfolio {
  title: string;
  about: string;
  credentials: Entry[];
}

export function parsePortfolio(text: string): Portfolio {
  try {
    const { title, about, credentials } = JSON.parse(text) as Record<string, unknown>;
    if (!Array.isArray(credentials)) throw new SealedFault('damaged');
    return { title: words(title), about: words(about), credentials: credentials.filter(isEntry).slice(0, MOST).map(({ id, key }) => ({ id, key })) };
  } catch {
    throw new SealedFault('damaged');
  }
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isEntry(value: unknown): value is Entry {
  const { id, key } = (value ?? {}) as Record<string, unknown>;
  return typeof id === 'string' && typeof key === 'string' && code(id) !== undefined && code(key) !== undefined;
}
