/** The shapes of what the studio's server tells. Times are RFC 3339. */

export type Role = 'admin' | 'issuer' | 'viewer';

/** Who is signed in. */
export interface Who {
  name: string;
  role: Role;
}

export type Document = { readonly [member: string]: unknown };

/** What is wrong with a template, and where. */
export interface Fault {
  path: string;
  what: string;
  help: string;
}

export interface Checked {
  faults: Fault[];
  preview: Document | null;
}

export interface Template extends Checked {
  name: string;
  text: string;
}

/** A column of a roster: what its heading means, or that it means nothing. */
export interface Heading {
  heading: string;
  meaning: string | null;
}

export interface Row {
  line: number;
  faults: { column: string | null; what: string }[];
}

export interface Run {
  run: number;
  template: string;
  state: 'running' | 'held' | 'done' | 'failed';
  rows: number;
  drafted: number;
  submitted: number;
  anchored: number;
  written: number;
  passed: { line: number; why: string }[];
  summary?: unknown;
  error: string | null;
  began: string;
  ended: string | null;
}

/** A template in the list. */
export interface TemplateCard {
  name: string;
  title: string | null;
  description: string | null;
  /** A `data:` URL, or one that is not loaded. */
  image: string | null;
  kind: string | null;
  /** How many faults it has. */
  faults: number;
}

/** A credential in the list. */
export interface Listed {
  id: string;
  template: string;
  learner: string;
  name: string | null;
  email: string | null;
  period: string;
  validFrom: string;
  validUntil: string | null;
  /** How it stands for everybody: `good`, `revoked`, `superseded`, `expired`; or on its way. */
  state: string;
  revoked: string | null;
  superseded: boolean;
  file: string;
  digest: string;
}

export interface Credentials {
  credentials: Listed[];
  next: string | null;
}

/** Something that came about with a credential. */
export interface Event {
  at: string;
  what: string;
  who: string | null;
  detail: string | null;
}

export interface Whole extends Listed {
  document: Document | null;
  history: Event[];
}

/** Who issues, and what it issues through. */
export interface Issuer {
  profile: { id: string; name: string; url?: string | null };
  node: { url: string; state: string; detail?: string | null };
  account: string | null;
  suite: string;
  mail: object | null;
  share: object | null;
}

export interface User {
  name: string;
  role: Role;
  /** Whether a password of this server lets them in. */
  local: boolean;
  lastSeen: string | null;
}

/** What somebody did. */
export interface Deed {
  at: string;
  who: string;
  what: string;
  on: string | null;
  outcome: string;
}

/** What a roster says, before anything is issued by it. */
export interface Roster {
  roster: string;
  rows: number;
  good: number;
  headings: Heading[];
  faults: Row[];
  sample: Record<string, unknown>[];
  notes: string[];
}
