/** What the pages ask the node, in the shapes of its `/openapi.json`. */

/** What a node is. */
export interface Node {
  version: string;
  chain: string;
  registry: string;
  issuers: string[];
  operator: string;
}

/** What a transaction cost; `batches` share it. */
export interface Cost {
  gasUsed: number;
  feeWei?: string;
  batches: number;
}

export type Stage = 'open' | 'sealed' | 'prepared' | 'broadcast' | 'pending' | 'included' | 'final';

export interface Batch {
  batch: number;
  issuer: string;
  state: Stage;
  size: number;
  root?: string;
  sealedAt?: string;
  finalAt?: string;
  anchor?: { block: number; time: string; transaction: string };
  cost?: Cost;
}

export interface Batches {
  batches: Batch[];
  next?: number;
}

export interface Day {
  day: string;
  batches: number;
  credentials: number;
  gasUsed: number;
  costed: number;
  secondsToFinal?: number;
}

export interface History {
  from: string;
  to: string;
  days: Day[];
}

export type Purpose = 'revocation' | 'suspension';

export interface Update {
  epoch: number;
  root: string;
  toggled: number | null;
  block: number;
  time: number;
  transaction: string;
  settled: boolean;
  cost?: Cost;
}

export interface Updates {
  count: number;
  since: number;
  updates: Update[];
  next: number | null;
}

/** What the contract says of one root. */
export interface Anchored {
  at: { number: number; time: number };
  registry: string;
  chain: string;
  size: number;
  block: number;
  withdrawn: boolean;
  settled: boolean;
}

/** What happened, as the node tells it while it happens. */
export interface Happening {
  batch?: number;
  change?: number;
  issuer: string;
  state: Stage;
  at: string;
}

/** Why there is no answer. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** The last part of the problem's `type`, which never changes. */
    readonly kind: string,
    detail: string,
  ) {
    super(detail);
  }
}

export const node = () => ask<Node>('/v1/node');
export const batch = (root: string) => ask<Batch>(`/v1/batches/${root}`);
export const batchOf = (issuer: string, number: number) => ask<Batch>(`/v1/issuers/${issuer}/batches/${number}`);
export const history = (issuer: string) => ask<History>(`/v1/issuers/${issuer}/history`);
export const anchored = (issuer: string, root: string) => ask<Anchored>(`/v1/issuers/${issuer}/anchors/${root}`);

export const batches = (issuer: string, limit: number, before?: number) =>
  ask<Batches>(`/v1/issuers/${issuer}/batches?limit=${limit}${before === undefined ? '' : `&before=${before}`}`);

export const updates = (issuer: string, purpose: Purpose, before?: number) =>
  ask<Updates>(`/v1/issuers/${issuer}/status/${purpose}/updates${before === undefined ? '' : `?before=${before}`}`);

async function ask<T>(path: string): Promise<T> {
  // What is shown after an event must be newer than it.
  const answer = await fetch(path, { cache: 'no-cache', headers: { accept: 'application/json' } });
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok && body !== null) return body as T;
  const problem = body as { type?: string; detail?: string } | null;
  throw new Refusal(answer.status, problem?.type?.split(':').at(-1) ?? '', problem?.detail ?? answer.statusText);
}
