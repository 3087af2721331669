/** What the pages ask the studio's server, below `/studio/api`. */

const BASE = '/studio/api';

/** Why there is no answer: a problem of RFC 9457, or a connection that failed. */
export class Refusal extends Error {
  constructor(
    /** The HTTP status; 0: no answer came at all. */
    readonly status: number,
    detail: string,
    /** The problem as it came, with its own members. */
    readonly problem: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }

  /** The last part of the problem's `type`, which never changes. */
  get kind(): string {
    return String(this.problem['type'] ?? '').split(':').at(-1) ?? '';
  }
}

/** Told when the session has ended: whatever was asked, somebody must sign in first. */
let ended: () => void = () => undefined;

export function whenEnded(tell: () => void): void {
  ended = tell;
}

export const get = <T>(path: string, signal?: AbortSignal) => ask<T>('GET', path, undefined, signal);
export const post = <T>(path: string, body?: unknown, signal?: AbortSignal) => ask<T>('POST', path, body, signal);
export const put = <T>(path: string, body: unknown) => ask<T>('PUT', path, body);
export const patch = <T>(path: string, body: unknown) => ask<T>('PATCH', path, body);
export const remove = (path: string) => ask<void>('DELETE', path);

/** Where a file or a stream of the API is. */
export function address(path: string): string {
  return `${BASE}/${path}`;
}

/** A path with what may stand in names, and parameters that have a value. */
export function path(parts: string[], parameters: Record<string, string | number | undefined> = {}): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return parts.map(encodeURIComponent).join('/') + (query && `?${query}`);
}

async function ask<T>(method: string, to: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(address(to), request(method, body, signal)).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Refusal(0, '');
  });
  const text = await answer.text();
  const told = json(text);
  if (answer.ok) return told as T;
  const problem = (typeof told === 'object' && told !== null ? told : {}) as Record<string, unknown>;
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : answer.statusText;
  const refusal = new Refusal(answer.status, detail, problem);
  if (refusal.kind === 'signed-out' && to !== 'session') ended();
  throw refusal;
}

function request(method: string, body: unknown, signal: AbortSignal | undefined): RequestInit {
  const accept = { accept: 'application/json' };
  const common = { method, cache: 'no-store', credentials: 'same-origin', ...(signal && { signal }) } as const;
  if (body === undefined) return { ...common, headers: accept };
  if (body instanceof Blob) return { ...common, headers: { ...accept, 'content-type': 'application/octet-stream' }, body };
  return { ...common, headers: { ...accept, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function json(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
