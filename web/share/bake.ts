/** A credential baked into a picture (Open Badges 3.0, 5.3): the picture shows the badge, and carries it. */

import { joined } from './bytes';

const OB3 = 'https://purl.imsglobal.org/ob/v3p0';
const XMLNS = 'http://www.w3.org/2000/xmlns/';
const SVG = 'http://www.w3.org/2000/svg';
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Chunks that may hold a credential already, and what they then begin with. */
const TEXTS = ['iTXt', 'tEXt', 'zTXt'];
const KEYWORDS = ['openbadgecredential', 'openbadges'];

/** What is baked into is no picture of its kind. */
export class NoPicture extends Error {}

/** A PNG with the credential in a chunk `iTXt`, in the place of one that is in it. */
export function bakePng(image: Uint8Array, credential: string): Uint8Array<ArrayBuffer> {
  const chunks = [...read(image)].filter((chunk) => !holdsBadge(chunk));
  const [head, ...rest] = chunks;
  if (head?.kind !== 'IHDR') throw new NoPicture('no PNG');
  return joined(Uint8Array.from(SIGNATURE), head.whole, badge(credential), ...rest.map(({ whole }) => whole));
}

/** An SVG with the credential in an element of its own. Scripts and references of the picture stay as they are. */
export function bakeSvg(image: string, credential: string): string {
  const parsed = new DOMParser().parseFromString(image, 'image/svg+xml');
  const root = parsed.documentElement;
  if (root.namespaceURI !== SVG || root.localName !== 'svg' || parsed.querySelector('parsererror')) throw new NoPicture('no SVG');
  for (const [namespace, name] of [[OB3, 'credential'], ['http://openbadges.org', 'assertion']] as const) {
    for (const earlier of [...parsed.getElementsByTagNameNS(namespace, name)]) earlier.remove();
  }
  root.setAttributeNS(XMLNS, 'xmlns:openbadges', OB3);
  const element = parsed.createElementNS(OB3, 'openbadges:credential');
  if (credential.trimStart().startsWith('{')) element.append(parsed.createCDATASection(inXml(credential)));
  else element.setAttribute('verify', credential);
  root.prepend(element);
  return new XMLSerializer().serializeToString(parsed);
}

/** The same JSON without what ends CDATA and what XML does not hold, all of which stands in its strings only. */
function inXml(json: string): string {
  return json.replaceAll(']]>', ']]\\u003e').replaceAll('\ufffe', '\\ufffe').replaceAll('\uffff', '\\uffff');
}

interface Chunk {
  kind: string;
  data: Uint8Array;
  whole: Uint8Array;
}

function* read(image: Uint8Array): Generator<Chunk> {
  if (SIGNATURE.some((byte, at) => image[at] !== byte)) throw new NoPicture('no PNG');
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  for (let at = SIGNATURE.length; at < image.length; ) {
    if (at + 12 > image.length) throw new NoPicture('cut off');
    const end = at + 12 + view.getUint32(at);
    if (end > image.length) throw new NoPicture('cut off');
    const kind = String.fromCharCode(...image.subarray(at + 4, at + 8));
    yield { kind, data: image.subarray(at + 8, end - 4), whole: image.subarray(at, end) };
    at = end;
  }
}

function holdsBadge({ kind, data }: Chunk): boolean {
  if (!TEXTS.includes(kind)) return false;
  const keyword = String.fromCharCode(...data.subarray(0, Math.max(data.indexOf(0), 0)));
  return KEYWORDS.includes(keyword);
}

/** `iTXt`: keyword, zero; uncompressed; no language, no translated keyword; the text (PNG, 11.3.3.4). */
function badge(credential: string): Uint8Array {
  const head = [...new TextEncoder().encode('iTXtopenbadgecredential'), 0, 0, 0, 0, 0];
  const body = joined(Uint8Array.from(head), new TextEncoder().encode(credential));
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(chunk.length - 4, crc32(body));
  return chunk;
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
