/** The server that keeps sealed pages: it learns ids and what an owner wants done, never a key or a content. */

import { base64 } from './bytes';

/** A page, and the code that proves to the server that it is the learner's. */
export interface Owned {
  id: string;
  owner: string;
}

export type PageKind = 'credential' | 'portfolio';

/** What social sites may show of a page. */
export interface Lines {
  achievement?: string;
  issuer?: string;
  name?: string;
  date?: string;
}

/** A page as its owner sees it. */
export interface State {
  kind: PageKind;
  published: boolean;
  views: number;
  /** In seconds since 1970. */
  created: number;
  parts: string[];
  preview: Lines | null;
}

/** What a wallet takes a credential with. */
export interface Offer {
  code: string;
  /** In seconds since 1970. */
  expires: number;
}

/**
 * Why the server did not do it. `kind` is the last part of the problem's type (RFC 9457); `unreachable`: no answer came;
 * `strange`: the answer is none of this server's.
 */
export class ServerFault extends Error {
  constructor(
    readonly kind: string,
    readonly detail = '',
  ) {
    super(detail || kind);
  }
}

/** Makes the page the owner's. The same owner may say it again: a lost reply loses nothing. */
export async function claim(id: string, token: string, owner: string): Promise<void> {
  await ask('POST', `claims/${id}`, { body: { token, owner } });
}

/** The sealed content of a published page. */
export async function sealed(id: string): Promise<Uint8Array> {
  return bytes(await ask('GET', `pages/${id}/sealed`));
}

/** Counts that somebody opened it. */
export async function viewed(id: string): Promise<void> {
  await ask('POST', `pages/${id}/views`);
}

export async function state(owned: Owned): Promise<State> {
  return json(await ask('GET', `pages/${owned.id}`, { owned }));
}

/** A sealed part of the owner's page. */
export async function part(owned: Owned, name: string): Promise<Uint8Array> {
  return bytes(await ask('GET', `pages/${owned.id}/parts/${name}`, { owned }));
}

/** Other content under a portfolio's link. */
export async function rewrite(owned: Owned, sealed: Uint8Array): Promise<void> {
  await ask('PUT', `pages/${owned.id}/parts/portfolio`, { owned, body: sealed });
}

export async function publish(owned: Owned, published: boolean): Promise<void> {
  await ask('PUT', `pages/${owned.id}/published`, { owned, body: { published } });
}

/** Lets social sites show these lines, on a picture in this language; `null`: nothing. */
export async function preview(owned: Owned, lines: Lines | null, language: string): Promise<void> {
  const path = `pages/${owned.id}/preview`;
  await (lines === null ? ask('DELETE', path, { owned }) : ask('PUT', path, { owned, body: { lines, language } }));
}

export async function remove(owned: Owned): Promise<void> {
  await ask('DELETE', `pages/${owned.id}`, { owned });
}

export async function offer(owned: Owned): Promise<Offer> {
  return json(await ask('POST', `pages/${owned.id}/offers`, { owned }));
}

/** Keeps a further page of the learner who owns a claimed one. */
export async function create(parent: Owned, page: Owned, kind: PageKind, sealed: Uint8Array): Promise<void> {
  const body = { id: page.id, owner: page.owner, sealed: base64(sealed), kind };
  const asked = ask('POST', 'pages', { owned: parent, headers: { 'testamur-page': parent.id }, body });
  // Only a claimed page has further ones, and of those this browser may know no other.
  await asked.catch((fault: ServerFault) => {
    throw fault.kind === 'wrong-owner' ? new ServerFault('no-parent') : fault;
  });
}

interface Asking {
  owned?: Owned;
  headers?: Record<string, string>;
  /** JSON, or bytes. */
  body?: object | Uint8Array;
}

async function ask(method: string, path: string, { owned, headers = {}, body }: Asking = {}): Promise<Response> {
  const all = {
    ...headers,
    ...(owned && { authorization: `Owner ${owned.owner}` }),
    ...(body && { 'content-type': body instanceof Uint8Array ? 'application/octet-stream' : 'application/json' }),
  };
  const sent = body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body);
  const options = { method, headers: all, cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer' } as const;
  const answer = await fetch(`/v1/${path}`, { ...options, ...(body && { body: sent }) }).catch(() => {
    throw new ServerFault('unreachable');
  });
  if (!answer.ok) throw await fault(answer);
  return answer;
}

async function fault(answer: Response): Promise<ServerFault> {
  const problem = (await answer.json().catch(() => ({}))) as { type?: unknown; detail?: unknown };
  const kind = /[:/]([a-z-]+)$/.exec(String(problem.type))?.[1] ?? 'strange';
  return new ServerFault(kind, typeof problem.detail === 'string' ? problem.detail : `HTTP ${answer.status}`);
}

/** A body may break off as well as an answer not come. */
async function bytes(answer: Response): Promise<Uint8Array> {
  return new Uint8Array(await answer.arrayBuffer().catch(broken));
}

async function json<T>(answer: Response): Promise<T> {
  return (await answer.json().catch(broken)) as T;
}

function broken(): never {
  throw new ServerFault('unreachable');
}
