// Writes every context of the packages named in package.json to node_modules/.contexts, as JSON: some of the packages
// carry theirs as JavaScript. build.rs compares the files with the hashes that are pinned in contexts/table.rs.
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';

const target = new URL('node_modules/.contexts/', import.meta.url);
const {dependencies} = JSON.parse(readFileSync(new URL('package.json', import.meta.url)));
mkdirSync(target, {recursive: true});
for (const name of Object.keys(dependencies)) {
  const {default: whole, contexts = whole.contexts} = await import(name);
  for (const [url, context] of contexts) {
    writeFileSync(new URL(url.replace(/[^A-Za-z0-9.]+/g, '-') + '.json', target), JSON.stringify(context));
  }
}
