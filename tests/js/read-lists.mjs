// Reads one status list in every format that others have, with their packages and none of our code, and compares every
// bit.
//
//   node read-lists.mjs URL <<< '{"set":[…]}'     the set bits within the list
//
// Prints one line of JSON: for each format whether its signature holds and which bits differ. Exit status 0: all agree.
import {createPublicKey} from 'node:crypto';
import {readFileSync} from 'node:fs';

import {Sign1} from '@auth0/cose';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import dataIntegrityContext from '@digitalbazaar/data-integrity-context';
import {driver as keyMethod} from '@digitalbazaar/did-method-key';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {createVerifyCryptosuite} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {defaultDocumentLoader, verifyCredential} from '@digitalbazaar/vc';
import {BitstringStatusList, checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {StatusList, getListFromStatusListJWT} from '@sd-jwt/jwt-status-list';
import {Decoder} from 'cbor-x';
import jsonld from 'jsonld';
import {createRemoteJWKSet, decodeProtectedHeader, importJWK, jwtVerify} from 'jose';

const BITS = 131072;

const url = process.argv[2];
const {set} = JSON.parse(readFileSync(0, 'utf8'));
const expected = new Set(set);
const purpose = url.match(/\/status\/([^/]+)\//)[1];

const didKey = keyMethod();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});
const keySet = createRemoteJWKSet(new URL('/.well-known/jwks.json', url));

async function get(accept) {
  const response = await fetch(url, accept ? {headers: {accept}} : {});
  if(!response.ok) {
    throw new Error(`${accept}: ${response.status} ${await response.text()}`);
  }
  if(accept && response.headers.get('content-type') !== accept) {
    throw new Error(`${accept}: answered as ${response.headers.get('content-type')}`);
  }
  return response;
}

// The indices whose bit is not the expected one, by a package's own reading.
function differences(read) {
  return Array.from({length: BITS}, (_, index) => index).filter(index => read(index) !== expected.has(index));
}

function refuse(condition, what) {
  if(condition) {
    throw new Error(what);
  }
}

async function documentLoader(name) {
  if(name.startsWith('did:key:')) {
    return {document: await didKey.get({url: name}), documentUrl: name, contextUrl: null};
  }
  if(name === dataIntegrityContext.constants.CONTEXT_URL) {
    const document = dataIntegrityContext.contexts.get(name);
    return {document, documentUrl: name, contextUrl: null};
  }
  if(name === url) {
    // As a verifier does that knows nothing of us: by its URL alone.
    return {document: await (await get()).json(), documentUrl: name, contextUrl: null};
  }
  return defaultDocumentLoader(name);
}

const suite = new DataIntegrityProof({cryptosuite: createVerifyCryptosuite()});

const readers = {
  // W3C, Data Integrity.
  async 'application/vc'(accept) {
    const credential = await (await get(accept)).json();
    const result = await verifyCredential({credential, suite, documentLoader});
    refuse(!result.verified, `not verified: ${JSON.stringify(result.error)} ${result.error}`);
    const {encodedList, statusPurpose} = credential.credentialSubject;
    refuse(statusPurpose !== purpose, `it is a list of ${statusPurpose}`);
    const list = await BitstringStatusList.decode({encodedList});
    refuse(list.length !== BITS, `${list.length} bits`);

    // To a JSON-LD processor that refuses what has no definition, everything has one.
    await jsonld.expand(credential, {documentLoader, safe: true});

    // And as a verifier checks a credential: the first set and the first cleared index.
    const cleared = Array.from({length: BITS}, (_, index) => index).find(index => !expected.has(index));
    for(const index of [set[0], cleared].filter(index => index !== undefined)) {
      const holder = {
        '@context': ['https://www.w3.org/ns/credentials/v2'],
        type: ['VerifiableCredential'],
        issuer: credential.issuer,
        credentialSubject: {id: 'urn:example:holder'},
        credentialStatus: {
          type: 'BitstringStatusListEntry',
          statusPurpose: purpose,
          statusListIndex: String(index),
          statusListCredential: url,
        },
      };
      const checked = await checkStatus({credential: holder, documentLoader, suite});
      refuse(!checked.verified, `checkStatus: ${checked.error}`);
      refuse(checked.results[0].status !== expected.has(index), `checkStatus says otherwise of ${index}`);
    }

    // A changed list must not verify.
    const changed = structuredClone(credential);
    changed.credentialSubject.ttl += 1;
    refuse((await verifyCredential({credential: changed, suite, documentLoader})).verified, 'a changed list verifies');
    return differences(index => list.getStatus(index));
  },

  // W3C, JOSE. The key comes from the did:key that `kid` names.
  async 'application/vc+jwt'(accept) {
    const jwt = await (await get(accept)).text();
    const {kid} = decodeProtectedHeader(jwt);
    const {publicKeyMultibase} = await didKey.get({url: kid});
    const multikey = await Ed25519Multikey.from({type: 'Multikey', publicKeyMultibase});
    const key = await importJWK(await Ed25519Multikey.toJwk({keyPair: multikey}), 'EdDSA');
    const {payload} = await jwtVerify(jwt, key, {typ: 'vc+jwt'});
    refuse(payload.issuer !== kid.split('#')[0], `issued by ${payload.issuer}`);
    const list = await BitstringStatusList.decode({encodedList: payload.credentialSubject.encodedList});
    return differences(index => list.getStatus(index));
  },

  // IETF, JOSE. The key comes from the server's key set.
  async 'application/statuslist+jwt'(accept) {
    const jwt = await (await get(accept)).text();
    const {payload} = await jwtVerify(jwt, keySet, {typ: 'statuslist+jwt', subject: url});
    refuse(!(payload.exp > payload.iat && payload.ttl > 0), 'no time');
    const list = getListFromStatusListJWT(jwt);
    return differences(statuses(list));
  },

  // IETF, COSE.
  async 'application/statuslist+cwt'(accept) {
    const cwt = Sign1.decode(new Uint8Array(await (await get(accept)).arrayBuffer()));
    const kid = new TextDecoder().decode(cwt.protectedHeaders.get(4));
    refuse(cwt.protectedHeaders.get(16) !== accept, `its type is ${cwt.protectedHeaders.get(16)}`);
    const {keys} = await (await fetch(new URL('/.well-known/jwks.json', url))).json();
    await cwt.verify(createPublicKey({key: keys.find(key => key.kid === kid), format: 'jwk'}));
    const claims = new Decoder({mapsAsObjects: false}).decode(cwt.payload);
    refuse(claims.get(2) !== url, `its subject is ${claims.get(2)}`);
    refuse(!(claims.get(4) > claims.get(6) && claims.get(65534) > 0), 'no time');
    const [bits, lst] = ['bits', 'lst'].map(name => claims.get(65533).get(name));
    const list = StatusList.decompressStatusList(Buffer.from(lst).toString('base64url'), bits);
    return differences(statuses(list));
  },
};

// What a set bit is to the IETF: 1 "invalid" of a revocation, 2 "suspended" of a suspension.
function statuses(list) {
  const value = purpose === 'suspension' ? 2 : 1;
  refuse(list.statusList.length !== BITS, `${list.statusList.length} statuses`);
  return index => {
    const status = list.getStatus(index);
    return status === 0 ? false : status === value ? true : status;
  };
}

const report = {};
for(const [accept, read] of Object.entries(readers)) {
  try {
    report[accept] = {verified: true, different: await read(accept)};
  } catch(error) {
    report[accept] = {verified: false, error: String(error?.stack ?? error)};
  }
}
console.log(JSON.stringify(report));
process.exitCode = Object.values(report).every(({verified, different}) => verified && different.length === 0) ? 0 : 1;
