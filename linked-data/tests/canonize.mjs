// Canonical N-Quads by npm's jsonld and rdf-canonize. Standard input: {"contexts": {url: context}, "documents": [...]};
// standard output: for each document {"nQuads": "..."} or {"error": "..."}.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';

const jsonld = createRequire(new URL('../../tests/js/package.json', import.meta.url))('jsonld');
const {contexts, documents} = JSON.parse(readFileSync(0, 'utf8'));
const documentLoader = async url => {
  if (!(url in contexts)) throw new Error(`unknown context ${url}`);
  return {contextUrl: null, documentUrl: url, document: {'@context': contexts[url]}};
};
const answers = [];
for (const document of documents) {
  try {
    answers.push({nQuads: await jsonld.canonize(document, {algorithm: 'RDFC-1.0', safe: true, documentLoader})});
  } catch (error) {
    answers.push({error: `${error.message} ${JSON.stringify(error.details?.event ?? error.details ?? '')}`});
  }
}
console.log(JSON.stringify(answers));
