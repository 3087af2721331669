/** Files of this package, in browsers and in Node, whose `fetch` reads no files. */

/** The bytes of a file beside this one. */
export async function readOwn(name: string): Promise<Uint8Array> {
  const url = new URL(name, import.meta.url);
  if (url.protocol === 'file:') return readFile(url);
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`${url.pathname}: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A file, in Node. */
export async function readFile(url: URL): Promise<Uint8Array> {
  const files = 'node:fs/promises'; // in a variable, so that bundlers for browsers leave it alone
  const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ files);
  return readFile(url);
}
