// A provider of accounts as an institution runs one: OpenID Connect by other people (oidc-provider), with its own pages
// for signing in. Anybody's name is an account; the name says the groups.
// Given as arguments: the studio's redirect URI, its secret. Printed when it listens: its issuer URL.
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [redirect, secret] = process.argv.slice(2);
const GROUPS = { ada: ['staff', 'registrars'], ben: 'issuers', eve: ['students'] };

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(url, {
  clients: [{ client_id: 'studio', client_secret: secret, redirect_uris: [redirect] }],
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: GROUPS[id] }),
  }),
});
server.on('request', provider.callback());
console.log(url);
// It ends with whoever started it.
process.stdin.resume().on('end', () => process.exit());
