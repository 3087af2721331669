// Writes the JSON-LD contexts that linked-data pins (its table.rs: URL and SHA-256) as one JSON object to standard output. They come
// from the same packages: the crate ssi-contexts and, where scripts/setup-contexts was run, npm's.
//   node contexts.mjs FOLDER…   the folders in which the files lie
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const table = readFileSync(new URL('../../linked-data/contexts/table.rs', import.meta.url), 'utf8');
const files = new Map();
for (const folder of process.argv.slice(2).filter(existsSync)) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    const bytes = readFileSync(join(folder, entry.name));
    files.set(createHash('sha256').update(bytes).digest('hex'), bytes);
  }
}
const contexts = {};
for (const [, url, pinned] of table.matchAll(/\("(https:[^"]+)", .*"([0-9a-f]{64})"\)/g)) {
  if (files.has(pinned)) contexts[url] = JSON.parse(files.get(pinned));
  else console.error(`build-wasm: no context ${url} here (scripts/setup-contexts gets those of npm)`);
}
console.log(JSON.stringify(contexts));
