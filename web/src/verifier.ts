/** The package `@testamur/verify`: it stands beside the pages as it was built, and is loaded when it is first needed. */

import type { Opened, Options, Policy, Result } from '../../client/wasm/ts/types';

export type * from '../../client/wasm/ts/types';

/** Where it stands, seen from this module; its folder's name changes with its content. */
declare const __VERIFIER__: string;

export interface Verifier {
  verify(file: Uint8Array, options?: Options): Promise<Result>;
  open(file: Uint8Array, options?: Pick<Options, 'receipt' | 'name'>): Promise<Opened>;
  fromLink(link: string): Promise<Uint8Array>;
  toFragment(credential: Uint8Array): Promise<string>;
  defaultPolicy(): Promise<Policy>;
}

/** What tells one build of the verifier from another. */
export const VERIFIER_HASH = __VERIFIER__.replace(/^verifier-|\/.*$/g, '');

let loading: Promise<Verifier> | undefined;

export function verifier(): Promise<Verifier> {
  const here = import.meta.url; // in a variable: bundlers would look for the file
  loading ??= import(/* @vite-ignore */ new URL(__VERIFIER__, here).href) as Promise<Verifier>;
  loading.catch(() => (loading = undefined));
  return loading;
}
