/** What the visitor trusts and whom the page asks: from the page's host at first, then as the visitor says. */

import type { Options, Policy, RecognisedIssuer } from '../src/verifier';

export interface Settings {
  /** JSON-RPC URLs of any chains. */
  endpoints: string[];
  /** How many must agree; `null`: more than half. */
  quorum: number | null;
  /** Chains that count, beside the published default. */
  chains: string[];
  /** Registries that count beside the published one. */
  registries: string[];
  issuers: RecognisedIssuer[];
  /** Trusted block hashes, as `eip155:1 <number> <hash>`. */
  checkpoints: string[];
  /** Whether documents that a credential names are fetched from their hosts. */
  documents: boolean;
}

/** What stands in `config.json` beside the page. */
export interface Site extends Partial<Settings> {
  /** Whether a node serves the page, so that its other pages are there. */
  node?: boolean;
  /** The number of its institution's page on LinkedIn. */
  linkedin?: number;
}

/** What holds, what the page's host has set, and what that comes to. */
export interface Trust {
  host: Site;
  preset: Settings;
  settings: Settings;
}

/** Where they are kept on this device, if the visitor says so. */
const KEPT = 'testamur-verify-settings';

const NONE: Settings = { endpoints: [], quorum: null, chains: [], registries: [], issuers: [], checkpoints: [], documents: false };

/** What the page's host has set. A host without such a file has set nothing. */
export async function site(url = 'config.json'): Promise<Site> {
  try {
    const answer = await fetch(url, { credentials: 'omit', cache: 'no-cache' });
    return answer.ok ? ((await answer.json()) as Site) : {};
  } catch {
    return {};
  }
}

/** The published policy, with what the host added. */
export function defaults(policy: Policy, { node: _, linkedin: __, ...site }: Site): Settings {
  const settings = { ...NONE, ...site };
  return { ...settings, chains: [...new Set([...(policy.chains ?? []), ...settings.chains])] };
}

/** What was kept on this device; `null` where nothing was. */
export function kept(): Settings | null {
  try {
    const text = localStorage.getItem(KEPT);
    return text === null ? null : { ...NONE, ...(JSON.parse(text) as Settings) };
  } catch {
    return null;
  }
}

/** Keeps them on this device; `null`: forgets them. */
export function keep(settings: Settings | null): void {
  try {
    if (settings === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, JSON.stringify(settings));
  } catch {
    // Storage may be forbidden: then they last as long as the page.
  }
}

/** As the verifier takes them. */
export function options(settings: Settings): Options {
  const { endpoints, quorum, chains, registries, issuers, checkpoints, documents } = settings;
  return {
    endpoints,
    // What one endpoint alone says is nothing: it must prove it.
    reading: endpoints.length < 2 || quorum === 1 ? 'proof' : 'auto',
    ...(quorum !== null && { quorum }),
    policy: { chains, registries: registries as `0x${string}`[], issuers },
    checkpoints: checkpoints.map((line) => `${line}\n`).join(''),
    documents,
  };
}
