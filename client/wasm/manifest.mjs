// The package's own package.json: without what only building needs.
import { readFileSync } from 'node:fs';

const { private: _, devDependencies, ...manifest } = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(manifest, null, 2));
