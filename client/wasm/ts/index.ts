/** `verify` and its kin: loads the WASM, and fetches what it asks for. Everything that decides is Rust. */

import { readFile } from './own.js';
import wasm, * as rust from './testamur_wasm.js';
import type { Asked, Opened, Options, Policy, Result } from './types.js';

export type * from './types.js';

/** Where the WASM comes from. */
export type Source = string | URL | Response | BufferSource | WebAssembly.Module;

const OWN = new URL('testamur_wasm_bg.wasm', import.meta.url);
const TIMEOUT = 10_000;
/** Requests under way at a time: browsers open six connections to a host. */
const AT_ONCE = 8;

let loading: Promise<void> | undefined;

/** Loads the WASM, once. The other functions do it where it was not done. */
export function load(source: Source = OWN): Promise<void> {
  loading ??= bytes(source).then(async (module_or_path) => {
    await wasm({ module_or_path });
  });
  loading.catch(() => (loading = undefined));
  return loading;
}

async function bytes(source: Source): Promise<Source> {
  const url = source instanceof URL || typeof source === 'string' ? new URL(source, import.meta.url) : null;
  return url?.protocol === 'file:' ? ((await readFile(url)) as BufferSource) : source;
}

/** Reads a file without asking anybody. Rejected with the reason where it cannot be read. */
export async function open(file: Uint8Array, options: Pick<Options, 'receipt' | 'name'> = {}): Promise<Opened> {
  await load();
  return JSON.parse(rust.open(file, options.receipt, options.name));
}

/** The policy that holds where the caller says nothing. */
export async function defaultPolicy(): Promise<Policy> {
  await load();
  return JSON.parse(rust.defaultPolicy());
}

/** The credential that a link carries in its fragment. Rejected where it carries none. */
export async function fromLink(link: string): Promise<Uint8Array> {
  await load();
  return rust.fromLink(link);
}

/** The fragment (without `#`) of a link that carries a credential: no server sees it. Browsers compress; WASM need not. */
export async function toFragment(credential: Uint8Array): Promise<string> {
  const deflated = new Blob([credential as BlobPart]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(deflated).arrayBuffer());
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return `c1.${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** Verifies a file. Rejected only when aborted, or with a `TypeError` where an option is wrong. */
export async function verify(file: Uint8Array, options: Options = {}): Promise<Result> {
  const { signal } = options;
  signal?.throwIfAborted();
  await load();
  const endpoints = (options.endpoints ?? []).map(endpoint);
  const now = options.now ?? Math.floor(Date.now() / 1000);
  const session = begin(file, options, endpoints, now);
  const ended = new AbortController();
  const stop = () => ended.abort(signal?.reason);
  signal?.addEventListener('abort', stop);
  try {
    const asked = await answerAll(session, new Fetcher(options, endpoints, ended.signal), options.progress);
    const evidence = session.evidence() ?? null;
    return { ...JSON.parse(session.result() as string), asked, evidence, now };
  } finally {
    signal?.removeEventListener('abort', stop);
    ended.abort(); // whatever is still under way is of no use any more
    session.free();
  }
}

function begin(file: Uint8Array, options: Options, endpoints: Endpoint[], now: number): rust.Verification {
  const { quorum, reading, policy, name, checkpoints, lists, statements, acceptDocuments } = options;
  const documents = typeof options.documents === 'function' ? 'given' : options.documents ? 'fetched' : 'none';
  const names = endpoints.map((endpoint) => endpoint.name);
  const settings = { endpoints: names, quorum, reading, policy, name, checkpoints, lists, statements, documents, acceptDocuments, now };
  try {
    return new rust.Verification(file, options.receipt, options.evidence, JSON.stringify(settings));
  } catch (error) {
    throw new TypeError(`verify: ${message(error)}`);
  }
}

type Question = { id: number; limit: number } & (
  | { kind: 'rpc'; endpoint: number; method: string; params: unknown }
  | { kind: 'document'; url: string }
  | { kind: 'canonical'; document: object }
);

/** Fetches whatever is wanted, until nothing is wanted any more. */
async function answerAll(session: rust.Verification, fetcher: Fetcher, progress: Options['progress']): Promise<Asked[]> {
  const asked: Asked[] = [];
  const waiting: Question[] = [];
  const underWay = new Set<Promise<void>>();
  let answered = 0;
  const ask = async (question: Question) => {
    const entry = fetcher.describe(question);
    asked.push(entry);
    try {
      session.answer(question.id, await fetcher.answer(question));
    } catch (error) {
      fetcher.signal.throwIfAborted();
      const { kind, text } = error instanceof Trouble ? error : new Trouble('unreachable', message(error));
      entry.trouble = text;
      session.fail(question.id, kind, text);
    }
    answered += 1;
  };
  while (session.result() === undefined) {
    waiting.push(...(JSON.parse(session.wanted()) as Question[]));
    while (waiting.length > 0 && underWay.size < AT_ONCE) {
      const request: Promise<void> = ask(waiting.shift()!).finally(() => underWay.delete(request));
      underWay.add(request);
    }
    progress?.(answered, underWay.size);
    if (underWay.size > 0) await Promise.race(underWay);
    else if (session.result() === undefined) throw new Error('a verification waits for nothing');
  }
  return asked;
}

interface Endpoint {
  url: string;
  name: string;
}

/** Its name is scheme and host: paths and user names hold access keys. */
function endpoint(text: string): Endpoint {
  if (!URL.canParse(text)) throw new TypeError('verify: an endpoint is no URL');
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) throw new TypeError('verify: an endpoint is an http or https URL');
  return { url: text, name: url.origin };
}

/** Why there is no answer, in the four kinds that the verdict knows. */
class Trouble extends Error {
  constructor(
    readonly kind: 'unreachable' | 'refused' | 'notFound' | 'unreadable',
    readonly text: string,
  ) {
    super(text);
  }
}

/** Answers questions by requests that carry no cookies and no referrer, follow no redirects, and end in time. */
class Fetcher {
  readonly #fetch: typeof fetch;
  readonly #timeout: number;

  constructor(
    readonly options: Options,
    readonly endpoints: Endpoint[],
    readonly signal: AbortSignal,
  ) {
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#timeout = options.timeout ?? TIMEOUT;
  }

  describe(question: Question): Asked {
    const method = question.kind === 'rpc' ? question.method : null;
    const of = { rpc: this.#name(question), document: (question as { url: string }).url, canonical: '' }[question.kind];
    return { kind: question.kind, of, method, trouble: null };
  }

  async answer(question: Question): Promise<Uint8Array> {
    switch (question.kind) {
      case 'rpc':
        return this.#rpc(question);
      case 'document':
        return this.#document(question);
      case 'canonical':
        return this.#canonical(question.document);
    }
  }

  #name(question: Question): string {
    return question.kind === 'rpc' ? (this.endpoints[question.endpoint]?.name ?? '') : '';
  }

  async #rpc({ endpoint, method, params, limit }: Question & { kind: 'rpc' }): Promise<Uint8Array> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { 'content-type': 'application/json' };
    const response = await this.#send(this.endpoints[endpoint]!.url, { method: 'POST', headers, body });
    if (response.status === 429) throw new Trouble('unreachable', 'it limits the rate of requests (HTTP status 429)');
    const bytes = await read(response, limit);
    // Some send JSON-RPC's errors with another status than 200.
    if (response.ok || bytes[0] === 0x7b) return bytes;
    throw new Trouble(response.status >= 500 ? 'unreachable' : 'unreadable', `HTTP status ${response.status}`);
  }

  async #document({ url, limit }: Question & { kind: 'document' }): Promise<Uint8Array> {
    const { documents } = this.options;
    if (typeof documents === 'function') return documents(url, this.#deadline());
    const response = await this.#send(url, { headers: { accept: '*/*' } });
    const status = `HTTP status ${response.status}`;
    if (response.status === 404 || response.status === 410) throw new Trouble('notFound', status);
    if (!response.ok) throw new Trouble('unreachable', status);
    return read(response, limit);
  }

  async #canonical(document: object): Promise<Uint8Array> {
    const given = this.options.canonical;
    if (given === false) throw new Trouble('refused', 'JSON-LD is not read here');
    const hash = given ?? (await jsonLd()).canonicalHash;
    try {
      return new TextEncoder().encode(await hash(document));
    } catch (error) {
      throw error instanceof Trouble ? error : new Trouble('unreadable', message(error));
    }
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    const signal = this.#deadline();
    const plain = { redirect: 'error', credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' } as const;
    try {
      return await this.#fetch(url, { ...plain, ...init, signal });
    } catch (error) {
      throw new Trouble('unreachable', this.#reason(error));
    }
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(this.#timeout)]);
  }

  /** Browsers do not say why; then the usual reasons are named. */
  #reason(error: unknown): string {
    if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${this.#timeout} ms`;
    const cause = (error as { cause?: { code?: string; message?: string } }).cause;
    return cause?.code ?? cause?.message ?? 'no answer; it is down, or does not allow pages of other origins to ask';
  }
}

/** The module for JSON-LD is large, and few credentials need it. */
async function jsonLd(): Promise<{ canonicalHash: (document: object) => Promise<string> }> {
  try {
    return await import('./json-ld.js');
  } catch {
    throw new Trouble('unreachable', 'the module for JSON-LD could not be loaded');
  }
}

/** A body, up to a limit. */
async function read(response: Response, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      length += part.value.length;
      if (length > limit) throw new Trouble('refused', `an answer of more than ${limit} bytes`);
      chunks.push(part.value);
    }
  } catch (error) {
    void reader?.cancel().catch(() => undefined);
    throw error instanceof Trouble ? error : new Trouble('unreachable', 'the answer broke off');
  }
  const bytes = new Uint8Array(length);
  chunks.reduce((at, chunk) => (bytes.set(chunk, at), at + chunk.length), 0);
  return bytes;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
