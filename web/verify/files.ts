/** What was dropped: each file with the receipt and the evidence that belong to it. */

import type { Result } from '../src/verifier';
import { t } from './words';

/** Larger ones are not read into memory. */
const MAX_BYTES = 64 << 20;
const BESIDE = { receipt: '.receipt.json', evidence: '.evidence' } as const;

/** One file, what lies beside it, and what came of it. */
export interface Item {
  name: string;
  bytes: Uint8Array;
  receipt?: Uint8Array;
  evidence?: Uint8Array;
  /** Why it was not verified, for people. */
  trouble?: string;
  result?: Result;
}

/** Reads files, and puts together what belongs together. */
export async function read(files: File[]): Promise<Item[]> {
  const byName = new Map(files.map((file) => [file.name, file]));
  const owner = (name: string) => {
    const ending = Object.values(BESIDE).find((ending) => name.endsWith(ending));
    return ending === undefined ? undefined : name.slice(0, -ending.length);
  };
  const whole = files.filter(({ name }) => !byName.has(owner(name) ?? ''));
  return Promise.all(whole.map((file) => item(file, byName, owner(file.name) !== undefined)));
}

async function item(file: File, byName: Map<string, File>, alone: boolean): Promise<Item> {
  const { name, size } = file;
  const nothing = new Uint8Array();
  if (alone) return { name, bytes: nothing, trouble: t('sidecar-alone') };
  if (size === 0) return { name, bytes: nothing, trouble: t('empty') };
  if (size > MAX_BYTES) {
    return { name, bytes: nothing, trouble: t('too-large', { size: Math.ceil(size / (1 << 20)), limit: MAX_BYTES >> 20 }) };
  }
  const [receipt, evidence] = await Promise.all([BESIDE.receipt, BESIDE.evidence].map((ending) => bytes(byName.get(name + ending))));
  return { name, bytes: (await bytes(file)) ?? nothing, ...(receipt && { receipt }), ...(evidence && { evidence }) };
}

async function bytes(file: File | undefined): Promise<Uint8Array | undefined> {
  return file && file.size <= MAX_BYTES ? new Uint8Array(await file.arrayBuffer()) : undefined;
}

/** SHA-256 in hex. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', bytes as BufferSource);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Hands a file to the visitor. */
export function save(name: string, content: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
