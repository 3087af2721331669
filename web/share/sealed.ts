/**
 * Sealed content, as `credentials/src/sealed.rs` describes it byte by byte: AES-256-GCM under a key that HKDF-SHA-256
 * makes of the 16 bytes of KEY, with the 16 bytes of ID as salt. The server keeps it and cannot read it.
 */

import { joined } from './bytes';
import { code } from './code';

/** The largest text, in bytes: 8 MiB. */
const MAX_TEXT = 8 << 20;
const VERSION = 1;
const CONTEXT = new TextEncoder().encode('testamur sealed 1');
const NONCE = 12;
const TAG = 16;
const LENGTHS = 8;
const SMALLEST = 1 << 12;
const LARGEST = 1 << 22;

/**
 * Why nothing was opened or sealed. `link`: id or key are not whole. `length`: cut off on the way. `version`: made by a
 * later version. `closed`: another page's key, or altered content; nobody can tell which. `damaged`: whoever holds the key
 * sealed something else. `large`: too long.
 */
export type SealedKind = 'link' | 'length' | 'version' | 'closed' | 'damaged' | 'large';

export class SealedFault extends Error {
  constructor(readonly kind: SealedKind) {
    super(`sealed content: ${kind}`);
  }
}

/** The page that content belongs to, and what opens it: 22 letters of base64url each. */
export interface Page {
  id: string;
  key: string;
}

/** Seals a text for a page, each time with a new nonce. */
export async function seal(text: string, page: Page): Promise<Uint8Array> {
  const padded = await pad(new TextEncoder().encode(text));
  const iv = crypto.getRandomValues(new Uint8Array(NONCE));
  const content = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await cipher(page, 'encrypt'), padded);
  return joined(Uint8Array.of(VERSION), iv, new Uint8Array(content));
}

/** Opens what was sealed for a page. */
export async function open(sealed: Uint8Array, page: Page): Promise<string> {
  const key = await cipher(page, 'decrypt');
  if (sealed.length === 0) throw new SealedFault('length');
  if (sealed[0] !== VERSION) throw new SealedFault('version');
  if (!isClass(sealed.length - 1 - NONCE - TAG)) throw new SealedFault('length');
  const iv = sealed.slice(1, 1 + NONCE);
  const content = sealed.slice(1 + NONCE);
  const padded = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, content).catch(() => fail('closed'));
  return unpad(new Uint8Array(padded));
}

async function cipher({ id, key }: Page, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  const [salt, input] = [code(id), code(key)];
  if (!salt || !input) throw new SealedFault('link');
  const material = await crypto.subtle.importKey('raw', input as BufferSource, 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: salt as BufferSource, info: CONTEXT };
  return crypto.subtle.deriveKey(how, material, { name: 'AES-GCM', length: 256 }, false, [use]);
}

function isClass(length: number): boolean {
  return length >= SMALLEST && length <= LARGEST && (length & (length - 1)) === 0;
}

async function pad(text: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  if (text.length > MAX_TEXT) throw new SealedFault('large');
  const deflated = await deflate(text);
  let size = SMALLEST;
  while (size < LENGTHS + deflated.length) size *= 2;
  if (size > LARGEST) throw new SealedFault('large');
  const padded = new Uint8Array(size);
  const lengths = new DataView(padded.buffer);
  lengths.setUint32(0, deflated.length);
  lengths.setUint32(4, text.length);
  padded.set(deflated, LENGTHS);
  return padded;
}

async function unpad(padded: Uint8Array<ArrayBuffer>): Promise<string> {
  const lengths = new DataView(padded.buffer, padded.byteOffset);
  const [deflated, length] = [lengths.getUint32(0), lengths.getUint32(4)];
  if (length > MAX_TEXT) throw new SealedFault('large');
  if (LENGTHS + deflated > padded.length) throw new SealedFault('damaged');
  const text = await whole(padded.slice(LENGTHS, LENGTHS + deflated), length);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    throw new SealedFault('damaged');
  }
}

async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Exactly one stream of exactly this many bytes. Not every platform refuses bytes behind its end: without its last byte none may be whole. */
async function whole(bytes: Uint8Array, length: number): Promise<Uint8Array> {
  const text = await inflate(bytes, length);
  const shorter = await inflate(bytes.slice(0, -1), length).catch(() => undefined);
  return shorter === undefined ? text : fail('damaged');
}

/** Beyond so many bytes nothing is inflated. */
async function inflate(bytes: Uint8Array, length: number): Promise<Uint8Array> {
  const reader = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const text = new Uint8Array(length);
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => fail('damaged'));
    if (done) break;
    if (filled + value.length > length) {
      await reader.cancel().catch(() => undefined);
      fail('damaged');
    }
    text.set(value, filled);
    filled += value.length;
  }
  return filled === length ? text : fail('damaged');
}

function fail(kind: SealedKind): never {
  throw new SealedFault(kind);
}
