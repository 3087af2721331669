// A wallet of other people's (@openid4vc/openid4vci) takes a credential that is offered to it.
//
//   node wallet.mjs 'openid-credential-offer://?credential_offer=…'
//
// Prints one line of JSON: `{"credentials":[…]}`; or the server's refusal as `{"error":"…"}`, with exit status 1.
import {createHash, randomBytes} from 'node:crypto';

import {Openid4vciClient, setGlobalConfig} from '@openid4vc/openid4vci';

// The story's server is on this machine, without TLS.
setGlobalConfig({allowInsecureUrls: true});

const unused = () => { throw new Error('nothing here is signed or encrypted'); };
const client = new Openid4vciClient({callbacks: {
  fetch,
  generateRandom: length => randomBytes(length),
  hash: (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest(),
  signJwt: unused,
  verifyJwt: unused,
  encryptJwe: unused,
  decryptJwe: unused,
  clientAuthentication: () => {},
}});

try {
  const credentialOffer = await client.resolveCredentialOffer(process.argv[2]);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const {accessTokenResponse} =
    await client.retrievePreAuthorizedCodeAccessTokenFromOffer({credentialOffer, issuerMetadata});
  const [credentialConfigurationId] = credentialOffer.credential_configuration_ids;
  const {credentialResponse} = await client.retrieveCredentials({
    issuerMetadata, credentialConfigurationId, accessToken: accessTokenResponse.access_token,
  });
  console.log(JSON.stringify({credentials: credentialResponse.credentials}));
} catch(error) {
  const refusal = error.errorResponse?.error ?? error.response?.credentialErrorResponseResult?.data?.error;
  console.log(JSON.stringify({error: refusal ?? `${error}`}));
  process.exitCode = 1;
}
