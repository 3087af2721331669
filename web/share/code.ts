/** Codes of 16 bytes as links hold them: 22 letters of base64url (RFC 4648, 5), in one spelling only. */

import { base64, fromBase64 } from './bytes';

const BYTES = 16;

/** A new one, that nobody can guess. */
export function draw(): string {
  return written(crypto.getRandomValues(new Uint8Array(BYTES)));
}

/** Its bytes; `undefined` for anything else. */
export function code(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]{22}$/.test(text)) return undefined;
  const bytes = fromBase64(`${text.replaceAll('-', '+').replaceAll('_', '/')}==`);
  // Bits beyond the last byte would be a second spelling.
  return written(bytes) === text ? bytes : undefined;
}

function written(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
