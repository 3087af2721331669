/** What `@testamur/verify` takes and gives. Hashes and addresses are `0x…` in lower case; times are seconds since 1970. */

export type Hex = `0x${string}`;

/** The answer in one word. A network fault gives `unverifiable`: never `invalid`, never `valid`. */
export type Verdict = 'valid' | 'invalid' | 'unverifiable';

/** One question that is asked of a document. */
export type CheckName = 'integrity' | 'inclusion' | 'anchor' | 'issuer' | 'signature' | 'status' | 'validity';

/** One check and what came of it. */
export interface Check {
  check: CheckName;
  outcome: 'pass' | 'fail' | 'unknown' | 'not applicable';
  /** For people, in English. */
  message: string;
  /** What it rests on, or what is wrong or missing. `kind` is stable; the other members belong to it. */
  detail?: { kind: string; [member: string]: unknown };
}

/** How settled a block must be before an anchor in it counts. */
export type Finality = 'included' | 'safe' | 'finalized';

/** An organisation and the accounts that the verifier knows to be its own. */
export interface RecognisedIssuer {
  /** What credentials call it: a DID or a URL. Left out: it is known for files only. */
  id?: string;
  name?: string;
  accounts: Hex[];
}

/** What a verifier trusts and asks for. What is left out is as in the published default, see `defaultPolicy`. */
export interface Policy {
  /** Chains whose anchors count, as CAIP-2 (`eip155:1`). Never a development chain unless named here. */
  chains?: string[];
  /** Registries that count beside the published address. */
  registries?: Hex[];
  finality?: Finality;
  issuers?: RecognisedIssuer[];
  /** Whether the account must be tied to the issuer that the credential names. */
  issuer?: Need;
  /** Whether the status must be known. */
  status?: Need;
  /** Whether the issuer must be among those that the verifier recognises. */
  recognised?: Need;
  /** Whether a document must be anchored. */
  anchor?: Need;
  /** Whether a signature of the issuer's must hold beside the anchor. */
  signature?: Need;
  /** The greatest age of the newest block, in seconds, at which its status still counts. */
  maxStatusAge?: number | null;
  /** The greatest age, in seconds, of what was seen of an issuer's identity. */
  maxIdentityAge?: number | null;
  /** The fewest statuses that somebody else's status list may hold. */
  minListLength?: number;
  /** Members of later versions. */
  [member: string]: unknown;
}

export type Need = 'required' | 'optional';

/**
 * How the chain is read. `proof`: account and storage proofs, checked here against a block hash on which the quorum
 * agrees; `agreement`: the quorum must give equal answers; `auto`: proofs, and agreement where no endpoint can prove.
 */
export type Reading = 'auto' | 'proof' | 'agreement';

/** A file as it was read, before anything about it is believed. */
export interface Opened {
  /** What the file is. `file`: any file, of which only the bytes count. */
  format: 'json' | 'jwt' | 'png' | 'svg' | 'file';
  /** The credential, for display; `null` where the file is none. Hostile input: show it as text. */
  credential: { [member: string]: unknown } | null;
  /** SHA-256 (hex) that the registry has seen; `null` where it carries no anchor. */
  digest: string | null;
  /** Where its digest is anchored; `null` where it carries no anchor. */
  receipt: Receipt | null;
}

/** Where a leaf is, and where the root above it is anchored. */
export interface Receipt {
  version: number;
  leafIndex: number;
  treeSize: number;
  statusIndex: number;
  path: Hex[];
  root: Hex;
  issuer: Hex;
  chain: string;
  registry: Hex;
  /** A hint for people; nothing rests on it. */
  transaction: Hex;
  /** A hint likewise. */
  block: number;
}

export interface Block {
  number: number;
  hash: Hex;
  time: number;
}

/** A block, and the endpoints (scheme and host: URLs may hold access keys) that gave this very hash. */
export interface AgreedBlock extends Block {
  by: string[];
}

/** What the look at the chain rests on. */
export interface Basis {
  chain: string;
  /** `proof`: everything was proven against the blocks' hashes; `agreement`: something rests on equal answers;
   * `evidence`: it was proven before, against a block hash among `checkpoints`. */
  mode: 'proof' | 'agreement' | 'evidence';
  /** How many endpoints had to agree. */
  needed: number;
  /** Of how many. */
  given: number;
  /** The newest block. */
  head: AgreedBlock;
  /** The newest one that is settled as the policy asks. */
  settled: AgreedBlock;
  /** Whose proofs were checked, or whose answers agreed. */
  readFrom: string[];
  /** Endpoints that did not count, or could not do everything, and why. */
  passedOver: { endpoint: string; reason: string }[];
}

/** What one purpose's status bit says. */
export interface StatusBit {
  purpose: 'revocation' | 'suspension' | string;
  /** At the newest block; `null`: unknown. */
  set: boolean | null;
  /** At the settled block; `null`: unknown. */
  setAtSettled: boolean | null;
  /** The issuer's updates so far. */
  epoch: number;
  /** The time of the last one; `null` where there was none. */
  updated: number | null;
  /** What the bit rests on, for people. */
  source: string;
}

/** What came of a file. */
export interface Result {
  verdict: Verdict;
  checks: Check[];
  /** The check that stands in the way of `valid`; `null` where nothing does. */
  decisive: Check | null;
  /** `null` where the file could not be read; `checks` then says why. */
  opened: Opened | null;
  /** `null` where the chain was not seen, or did not need to be. */
  basis: Basis | null;
  /** The bits in the registry. Empty where they were not seen. */
  status: StatusBit[];
  /** Why the chain could not be seen, in the words of the network; for people. */
  detail: string | null;
  /** Everything that was asked of anybody on the way, in order: the page can show it, and a test can watch it. */
  asked: Asked[];
  /** The archive for verifying later without the network (`<file>.evidence`); `null` where the chain was not proven. */
  evidence: Uint8Array | null;
  /** The time at which it was judged. */
  now: number;
}

/** One request. */
export interface Asked {
  kind: 'rpc' | 'document' | 'canonical';
  /** The endpoint as scheme and host, or the document's URL. */
  of: string;
  /** The JSON-RPC method. */
  method: string | null;
  /** What went wrong, if anything did. */
  trouble: string | null;
}

/** What a verification may use. */
export interface Options {
  /** JSON-RPC URLs of any chains; which chain one serves is asked of it. None: only what `evidence` and `checkpoints` give. */
  endpoints?: string[];
  /** How many must agree. Default: more than half of those that serve the chain or do not say which one they serve. */
  quorum?: number;
  reading?: Reading;
  policy?: Policy;
  /** `<file>.receipt.json`, for a file that does not carry its anchor inside. */
  receipt?: Uint8Array;
  /** The file's name: a hint, for telling a spoilt credential from a file that is none. */
  name?: string;
  /** Evidence that was kept (`<file>.evidence`), used where no quorum can be had. Needs trusted block hashes. */
  evidence?: Uint8Array;
  /**
   * Whether the documents about issuers in `evidence` count. Nothing proves them: whoever packed the evidence may have
   * written them. Default: no.
   */
  acceptDocuments?: boolean;
  /** Trusted block hashes, one a line: `eip155:1 <number> 0x<hash>`. */
  checkpoints?: string;
  /** Lists of recognised issuers that the verifier trusts: `{ version: 1, name?, issuers: [{ id, name?, accounts? }] }`, or DCC's registry. */
  lists?: { name: string; list: object }[];
  /** Statements that issuers' own keys signed about their accounts: compact tokens. */
  statements?: string[];
  /**
   * Whether documents that the credential names (DID documents, keys, status lists) are fetched from their hosts, which
   * tells those hosts that it is looked at. Default: no; what needs them is then told as unknown. A function fetches
   * them itself: through a proxy, say, where hosts do not allow pages of other origins to read them. It is asked for DNS
   * records as well (`dns:_testamur.host?type=TXT`; the answer is a JSON array of texts), and on a server it is what keeps a
   * hostile credential from private hosts.
   */
  documents?: boolean | ((url: string, signal: AbortSignal) => Promise<Uint8Array>);
  /**
   * SHA-256 (hex) of a JSON-LD document's canonical form, for `*-rdfc-*` suites. Default: `@testamur/verify/json-ld`,
   * loaded when first needed. `false`: such signatures are told as unknown.
   */
  canonical?: false | ((document: object) => Promise<string>);
  /** In place of the global `fetch`. */
  fetch?: typeof fetch;
  /** Ends the verification early: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds that a request may take. Default: 10,000. */
  timeout?: number;
  /** Seconds since 1970. Default: now. */
  now?: number;
  /** Told after every answer: how many requests were answered, and how many are under way. */
  progress?: (answered: number, underWay: number) => void;
}
