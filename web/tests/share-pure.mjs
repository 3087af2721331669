// What the learners' pages do without any page: sealing against the vectors, links, and texts for other places.
//   node --test tests/share-pure.mjs

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const load = async (name) => (await runnerImport(new URL(`../share/${name}.ts`, import.meta.url).pathname, { configFile: false, logLevel: 'error' })).module;
const [address, sealed, linkedin, signature, embed, escape, bake, portfolio] = await Promise.all(
  ['address', 'sealed', 'linkedin', 'signature', 'embed-code', 'escape', 'bake', 'portfolio-content'].map(load),
);
const vectors = JSON.parse(readFileSync(new URL('../../tests/vectors/sealed.json', import.meta.url), 'utf8'));
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));

/** What of a link or its content is wrong; `opened` if nothing is. */
async function outcome(link, content) {
  const page = address.parse(link);
  if (typeof page === 'string') return `link: ${page}`;
  return sealed.open(content, page).then(
    () => 'opened',
    (fault) => (fault instanceof sealed.SealedFault ? fault.kind : Promise.reject(fault)),
  );
}

test('the vectors open, and seal to the same length', async () => {
  assert.ok(vectors.cases.length >= 4);
  for (const { name, link, text, sealed: content } of vectors.cases) {
    const page = address.parse(link);
    assert.equal(address.link('https://badges.example.edu/', page), link);
    assert.equal(await sealed.open(bytes(content), page), text, name);
    const again = await sealed.seal(text, page);
    assert.equal(again.length, bytes(content).length, name);
    assert.equal(await sealed.open(again, page), text, name);
    assert.notDeepEqual(await sealed.seal(text, page), again, 'a new nonce each time');
  }
});

const WHY = {
  'the key of another page': 'closed',
  'the content of another page under this id': 'closed',
  'a link without its key': 'link: absent',
  'a link whose key lost its last letter': 'link: key',
  'a key in the other base64 alphabet': 'link: key',
  'cut off by one byte': 'length',
  'cut off to the half': 'length',
  'nothing at all': 'length',
  'one byte more': 'length',
  'one bit of the content changed': 'closed',
  'one bit of the nonce changed': 'closed',
  'a later version': 'version',
  'a length that leads beyond the content': 'damaged',
  'a text longer than it says': 'damaged',
  'a text shorter than it says': 'damaged',
  'a text that says it has more than 8 MiB': 'large',
  'a byte behind the end of the stream': 'damaged',
  'a text that is not UTF-8': 'damaged',
  'a bomb that says it is small': 'damaged',
  'a size that is no class': 'length',
};

for (const { name, link, sealed: content } of vectors.refused) {
  test(`refused: ${name}`, async () => assert.equal(await outcome(link, bytes(content)), WHY[name]));
}

test('what is too long is not sealed', async () => {
  const page = { id: 'A'.repeat(22), key: 'A'.repeat(22) };
  await assert.rejects(sealed.seal('a'.repeat((8 << 20) + 1), page), { kind: 'large' });
  assert.equal((await sealed.open(await sealed.seal('a'.repeat(8 << 20), page), page)).length, 8 << 20);
  await assert.rejects(sealed.seal('x', { ...page, key: 'short' }), { kind: 'link' });
});

test('each page has its own link, and a fault says which part of it', () => {
  const [id, key, secret] = ['A', 'B', 'C'].map((letter) => `${letter.repeat(21)}A`);
  const read = (rest) => address.parse(`https://badges.example.edu${rest}`);
  assert.deepEqual(read(`/claim/${id}#${key}.${secret}`), { kind: 'claim', id, key, secret });
  assert.deepEqual(read(`/c/${id}?utm_source=mail#${key}`), { kind: 'c', id, key });
  assert.deepEqual(read(`/c/${id}/#${key}`), { kind: 'c', id, key });
  assert.equal(read('/verify/'), 'page');
  assert.equal(read(`/c/${id.slice(1)}#${key}`), 'id');
  assert.equal(read(`/c/${id.slice(0, 21)}B#${key}`), 'id', 'another spelling');
  assert.equal(read(`/p/${id}`), 'absent');
  assert.equal(read(`/c/${id}#${key}.${secret}`), 'key');
  assert.equal(read(`/claim/${id}#${key}`), 'secret');
  assert.equal(read(`/manage/${id}#${key}.${secret.slice(4)}`), 'secret');
});

const entry = {
  name: 'Análisis & síntesis',
  organization: 'Universidad de Ejemplo',
  issued: new Date(1_772_582_400_000),
  expires: new Date(1_830_211_199_000),
  id: 'urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427',
  link: 'https://issuer.example/c/abc#key&x=1',
};

test("LinkedIn's link says what the credential does", () => {
  assert.equal(
    linkedin.url(entry),
    'https://www.linkedin.com/profile/add?startTask=CERTIFICATION_NAME&name=An%C3%A1lisis%20%26%20s%C3%ADntesis' +
      '&organizationName=Universidad%20de%20Ejemplo&issueYear=2026&issueMonth=3&expirationYear=2027' +
      '&expirationMonth=12&certUrl=https%3A%2F%2Fissuer.example%2Fc%2Fabc%23key%26x%3D1' +
      '&certId=urn%3Auuid%3A1b4e28ba-2fa1-11d2-883f-0016d3cca427',
  );
  const listed = linkedin.url({ ...entry, organizationId: 1337, expires: undefined });
  assert.match(listed, /&organizationId=1337&issueYear/);
  assert.doesNotMatch(listed, /expiration|organizationName/);
  assert.match(linkedin.url({ ...entry, name: "a!'()*\ud800" }), /name=a%21%27%28%29%2A%EF%BF%BD&/);
});

test('the same can be copied', () => {
  const fields = new Map(linkedin.fields(entry));
  assert.equal(fields.get('Issue date'), 'March 2026');
  assert.equal(fields.get('Expiration date'), 'December 2027');
  assert.equal(fields.get('Credential URL'), entry.link);
  assert.equal(linkedin.fields({ ...entry, expires: undefined }).length, 5);
});

test('a signature is a link and nothing that runs', () => {
  const given = {
    achievement: 'R&D <Master>',
    issuer: 'Universidad\nde Ejemplo',
    link: 'https://issuer.example/c/1#k',
    verify: 'Verify this credential',
    image: 'https://issuer.example/1.png',
  };
  const html = signature.html(given);
  assert.match(html, /<strong>R&amp;D &lt;Master&gt;<\/strong>/);
  assert.equal(html.split('<a href').length, 3);
  assert.doesNotMatch(html, /style=/);
  assert.match(html, /<img src="https:\/\/issuer.example\/1.png" alt=""/);
  assert.equal(signature.text(given), 'R&D <Master> · Universidad de Ejemplo\nVerify this credential: https://issuer.example/c/1#k\n');
  assert.doesNotMatch(signature.html({ ...given, image: 'data:image/png;base64,AA' }), /<img/);
  assert.throws(() => signature.html({ ...given, link: 'javascript:alert(1)' }), /javascript:/);
});

test('the code to embed holds nothing but the element', () => {
  const code = (credential) => embed.embedCode('https://verify.example/', credential, 'es');
  assert.equal(
    code({ at: 'https://issuer.example/1.json?a&b' }),
    '<script type="module" src="https://verify.example/embed/testamur-verify.js"></script>\n' +
      '<testamur-verify src="https://issuer.example/1.json?a&amp;b" lang="es"></testamur-verify>\n',
  );
  assert.equal(code({ whole: '{"name":"</testamur-verify><script>"}' }).split('<script').length, 2);
  assert.throws(() => code({ at: 'javascript:alert(1)' }), /javascript:/);
});

const PIXEL = bytes('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==');

test('a PNG carries one credential, behind its head', () => {
  const kinds = (png) => Buffer.from(png).toString('latin1').match(/IHDR|iTXt|IDAT|IEND/g);
  const first = bake.bakePng(PIXEL, '{"name":"ñ"}');
  assert.deepEqual(kinds(first), ['IHDR', 'iTXt', 'IDAT', 'IEND']);
  const second = Buffer.from(bake.bakePng(first, '{"name":"other"}'));
  assert.deepEqual(kinds(second), ['IHDR', 'iTXt', 'IDAT', 'IEND']);
  assert.ok(second.includes('openbadgecredential\0\0\0\0\0{"name":"other"}') && !second.includes('ñ'));
  for (const spoilt of [PIXEL.subarray(0, 50), PIXEL.subarray(1), new Uint8Array()]) assert.throws(() => bake.bakePng(spoilt, '{}'), bake.NoPicture);
});

test('a portfolio that others wrote is read as far as it is one', () => {
  const [id, key] = ['A', 'B'].map((letter) => `${letter.repeat(21)}A`);
  const read = (value) => portfolio.parsePortfolio(JSON.stringify(value));
  assert.deepEqual(read({ title: 7, credentials: [{ id, key, more: 1 }, { id }, null, 'x', { id, key: '../x' }] }), { title: '', about: '', credentials: [{ id, key }] });
  assert.equal(read({ title: 'a', credentials: Array.from({ length: 500 }, () => ({ id, key })) }).credentials.length, 100);
  for (const wrong of [null, [], 'x', { credentials: {} }]) assert.throws(() => read(wrong), { kind: 'damaged' });
  assert.throws(() => portfolio.parsePortfolio('{'), { kind: 'damaged' });
});

test('nothing of others becomes markup', () => {
  assert.equal(escape.html('<a href="x">\'&\'</a>'), '&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;');
  for (const good of ['https://a.example/#x', 'http://127.0.0.1:8080/']) assert.ok(escape.isWeb(good), good);
  const bad = ['javascript:alert(1)', 'data:text/html,x', 'https://', 'https://a b', '//a.example', 'HTTPS://a'];
  for (const link of bad) assert.ok(!escape.isWeb(link), link);
});
