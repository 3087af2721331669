/** What is verified on these pages, and whom they trust: as the page that verifies does, and with its settings. */

import { type Told, told } from '../src/credential';
import { verifier } from '../src/verifier';
import type { Item } from '../verify/files';
import { type Settings, type Trust, defaults, kept, options, site } from '../verify/settings';
import { ServerFault } from './server';

/** What holds on this device: as on the page that verifies. */
export async function trust(): Promise<Trust> {
  const [loaded, host] = await Promise.all([load(), site('/verify/config.json')]);
  const preset = defaults(await loaded.defaultPolicy(), host);
  return { host, preset, settings: kept() ?? preset };
}

/** A credential's text, as a file that could be saved. */
export interface Credential {
  text: string;
  item: Item;
  shown: Told;
}

/** Reads a credential; nothing about it is believed yet. */
export async function read(text: string): Promise<Credential> {
  const bytes = new TextEncoder().encode(text);
  const { credential } = await (await load()).open(bytes);
  const shown = told(credential ?? {});
  return { text, shown, item: { name: `${fileName(shown.title)}.${text.trimStart().startsWith('{') ? 'json' : 'jwt'}`, bytes } };
}

/** Verifies it. What comes of it is in the item. */
export async function check(item: Item, settings: Settings, progress?: (answers: number) => void): Promise<void> {
  const loaded = await load();
  item.result = await loaded.verify(item.bytes, { ...options(settings), name: item.name, ...(progress && { progress }) });
}

/** `Field Botany` as `field-botany`. */
export function fileName(title: string): string {
  const letters = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return letters.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 60) || 'credential';
}

async function load() {
  return verifier().catch(() => {
    throw new ServerFault('verifier');
  });
}
