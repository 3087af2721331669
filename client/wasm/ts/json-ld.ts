/**
 * The canonical form of JSON-LD (RDFC-1.0), for credentials signed with `*-rdfc-*` suites. Loaded when one of them is met:
 * it is as large as everything else together. Contexts are the pinned ones in `contexts.json` beside this file; none is fetched.
 */

import { readOwn } from './own.js';

/** A context, by its URL. */
type Contexts = Record<string, object>;

let loading: Promise<{ jsonld: JsonLd; contexts: Contexts }> | undefined;

interface JsonLd {
  canonize(document: object, options: object): Promise<string>;
}

/** What is larger takes longer than anybody waits: RDFC-1.0 lets hostile documents ask for any amount of work. */
const MAX_WORK_FACTOR = 1;

/** SHA-256, in hex, of a document's canonical N-Quads. Rejected where a member or a context is not known: it would be unsigned. */
export async function canonicalHash(document: object): Promise<string> {
  loading ??= load();
  const { jsonld, contexts } = await loading;
  const documentLoader = async (url: string) => {
    const context = Object.hasOwn(contexts, url) ? contexts[url] : undefined;
    if (!context) throw new Error(`the context ${url} is not carried here`);
    return { document: context, documentUrl: url, contextUrl: null };
  };
  const quads = await jsonld.canonize(document, {
    algorithm: 'RDFC-1.0',
    format: 'application/n-quads',
    safe: true, // what no context defines is an error
    base: null,
    documentLoader,
    canonizeOptions: { maxWorkFactor: MAX_WORK_FACTOR },
  });
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(quads));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function load() {
  const library = './jsonld.js'; // in a variable: it comes without types
  const { default: jsonld } = await import(/* @vite-ignore */ library);
  const contexts = JSON.parse(new TextDecoder().decode(await readOwn('contexts.json')));
  return { jsonld: (jsonld.default ?? jsonld) as JsonLd, contexts: contexts as Contexts };
}
