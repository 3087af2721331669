/** The addresses of these pages: which one it is, of what, and what stands behind `#`, which no server sees. */

import { code } from './code';

export const KINDS = ['claim', 'manage', 'c', 'p'] as const;
export type Kind = (typeof KINDS)[number];

export interface Address {
  kind: Kind;
  id: string;
  /** What opens the content. */
  key: string;
  /** The invitation's token, or the owner's code. */
  secret?: string;
}

/** Which part of a link is missing or spoilt. `absent`: nothing at all stands behind `#`. */
export type LinkFault = 'page' | 'id' | 'absent' | 'key' | 'secret';

const WITH_SECRET: readonly Kind[] = ['claim', 'manage'];

/** Reads a link. What trackers put between id and key (`?…`) is left out. */
export function parse(link: string): Address | LinkFault {
  const [page = '', fragment = ''] = split(link.trim(), '#');
  const path = split(page, '?')[0]?.replace(/\/+$/, '') ?? '';
  const [, kind, id] = /\/(claim|manage|c|p)\/([^/]*)$/.exec(path) ?? [];
  if (kind === undefined || id === undefined) return 'page';
  if (!code(id)) return 'id';
  if (fragment === '') return 'absent';
  return behind(kind as Kind, id, fragment);
}

function behind(kind: Kind, id: string, fragment: string): Address | LinkFault {
  if (!WITH_SECRET.includes(kind)) return code(fragment) ? { kind, id, key: fragment } : 'key';
  const [key = '', secret = ''] = split(fragment, '.');
  if (!code(key)) return 'key';
  return code(secret) ? { kind, id, key, secret } : 'secret';
}

/** The link to a page of this host. */
export function link(base: string, { kind, id, key, secret }: Address): string {
  return `${base.replace(/\/+$/, '')}/${kind}/${id}#${key}${secret === undefined ? '' : `.${secret}`}`;
}

/** Before and behind the first of a letter. */
function split(text: string, letter: string): string[] {
  const at = text.indexOf(letter);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
