/** The pages of the learner who uses this browser: their links are kept here and nowhere else. */

import { draw } from './code';
import type { Owned, PageKind } from './server';

export interface Kept extends Owned {
  key: string;
  kind: PageKind;
  /** What it is called, for lists. Empty until it was opened. */
  title: string;
  issuer: string;
  /** The claimed page that it was made from; nothing where it is one itself. */
  parent?: Owned;
}

const PAGES = 'testamur-pages';

export function all(): Kept[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PAGES) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isKept) : [];
  } catch {
    return [];
  }
}

export function find(id: string): Kept | undefined {
  return all().find((page) => page.id === id);
}

/** Keeps a page, in the place of what was known of it. Answers whether that could be done: storage may be forbidden. */
export function keep(page: Kept): boolean {
  const others = all().filter(({ id }) => id !== page.id);
  return write([...others, page]);
}

export function forget(id: string): void {
  write(all().filter((page) => page.id !== id));
}

function write(pages: Kept[]): boolean {
  try {
    localStorage.setItem(PAGES, JSON.stringify(pages));
    return true;
  } catch {
    return false;
  }
}

function isKept(page: unknown): page is Kept {
  const has = page as Record<string, unknown> | null;
  return typeof page === 'object' && ['id', 'key', 'owner', 'kind', 'title', 'issuer'].every((name) => typeof has?.[name] === 'string');
}

const CLAIMING = 'testamur-claiming-';
/** Where storage is forbidden, it lasts as long as the page. */
const claims = new Map<string, string>();

/** The owner's code for a page that is about to be claimed: the same one until that is done. */
export function claiming(id: string): string {
  const owner = claims.get(id) ?? stored(CLAIMING + id) ?? draw();
  claims.set(id, owner);
  try {
    localStorage.setItem(CLAIMING + id, owner);
  } catch {
    // In memory, then.
  }
  return owner;
}

/** It is the learner's. */
export function claimed(page: Kept): void {
  if (keep(page)) localStorage.removeItem(CLAIMING + page.id);
}

function stored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
