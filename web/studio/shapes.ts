/** The shapes of what the studio's server tells. Times are RFC 3339. */

export type Role = 'admin' | 'issuer' | 'viewer';

/** Who is signed in. */
export interface Who {
  name: string;
  role: Role;
  /** Whether a password of this server lets them in. */
  password: boolean;
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
  state: 'queued' | 'running' | 'held' | 'done' | 'failed';
  who: string;
  rows: number;
  /** Credentials by how far they have come; each counts for the steps before as well. */
  drafted: number;
  submitted: number;
  anchored: number;
  written: number;
  /** Rows that got no new credential, the first ones; not there in the list. */
  passed?: { line: number; kind: string; why: string }[];
  /** What came of it, once it is over. */
  summary: Partial<Record<string, number>> | null;
  /** What keeps it waiting, or why it failed. */
  error: string | null;
  /** Whether rows that failed can be had. */
  failed: boolean;
  asked: string;
  ended: string | null;
}

/** A template in the list. */
export interface TemplateCard {
  name: string;
  /** The achievement's name, where it can be read. */
  title: string | null;
  /** How many faults it has. */
  faults: number;
}

/** How a credential stands for everybody. */
export type Standing = 'unfinished' | 'good' | 'ended' | 'suspended' | 'superseded' | 'revoked';

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
  state: Standing;
  /** How far it has come. */
  progress: 'drafted' | 'submitted' | 'anchored' | 'written';
  revoked: string | null;
  suspended: string | null;
  /** The `id` of the one that took its place. */
  supersededBy: string | null;
  digest: string;
}

export interface Credentials {
  credentials: Listed[];
  next: number | null;
}

export interface Whole extends Listed {
  /** An object, or a token. */
  document: Document | string;
  /** What was done about it, the newest first. */
  history: Deed[];
}

/** Who issues, and what it issues through. */
export interface Issuer {
  profile: { id: string; name: string; url?: string | null };
  node: { url: string; ready: boolean; trouble: string | null; account: string | null; chain: number | null };
  suite: string;
  /** What is wrong with the signing key; null: nothing. */
  key: string | null;
  /** How learners are written to, and where their pages are; nothing where that is not set up. */
  mail?: object | null;
  share?: object | null;
}

export interface User {
  name: string;
  role: Role;
  /** Whether a password of this server lets them in. */
  password: boolean;
  /** Whether they came in through the institution's sign-in before. */
  oidc: boolean;
  added: string;
}

/** What somebody did. */
export interface Deed {
  at: string;
  who: string;
  what: string;
  on: string;
  /** `done`, `refused: …`; null: not known, or it goes on. */
  outcome: string | null;
}

/** A row as it is understood. */
export interface Good {
  line: number;
  learner: string;
  name: string | null;
  email: string | null;
  did: string | null;
  awarded: string | null;
  expires: string | null;
  period: string;
}

/** What a roster says, before anything is issued by it. */
export interface Roster {
  roster: string;
  rows: number;
  good: number;
  headings: Heading[];
  /** The first rows that get no credential. */
  faults: Row[];
  /** The first rows that do. */
  sample: Good[];
  notes: string[];
  /** Why it cannot be read at all. */
  fault: string | null;
}

/** How a roster is meant, where it does not say so itself. */
export interface Meaning {
  /** Headings, by the field that they mean. */
  map: Record<string, string>;
  /** Which comes first in 03/04/2026; nothing: such dates are refused. */
  dates: '' | 'day-first' | 'month-first';
  /** The period of rows that name none. */
  period: string;
}
