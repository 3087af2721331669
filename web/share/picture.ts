/** The picture of an achievement, to bake a credential into: its own, or one that is drawn of its name. */

import { type Told, carried } from '../src/credential';
import { s } from '../src/dom';
import { base64, fromBase64 } from './bytes';

/** In pixels, where a picture does not say how large it is. */
const SIDE = 640;

/** A picture that the credential itself has. */
export interface Carried {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** For an element `img`: the achievement's own picture, or one that is drawn. Nothing is loaded. */
export function shownPicture(shown: Told): string {
  const own = shown.picture !== undefined && carried(shown.picture) ? shown.picture : undefined;
  return own ?? `data:image/svg+xml,${encodeURIComponent(drawn(shown))}`;
}

/** As SVG: what is made of pixels is framed. Without `own`, it is drawn. */
export function asSvg(shown: Told, own = ownPicture(shown)): string {
  if (own === undefined) return drawn(shown);
  if (own.type === 'image/svg+xml') return new TextDecoder().decode(own.bytes);
  const href = `data:${own.type};base64,${base64(own.bytes)}`;
  return written(s('svg', { viewBox: `0 0 ${SIDE} ${SIDE}` }, s('image', { href, width: SIDE, height: SIDE })));
}

/** As PNG: what is none is drawn as one. */
export async function asPng(shown: Told, own = ownPicture(shown)): Promise<Uint8Array> {
  if (own?.type === 'image/png') return own.bytes;
  return painted(own ?? drawnPicture(shown));
}

/** For an achievement whose own picture is damaged. */
export function drawnPicture(shown: Told): Carried {
  return { type: 'image/svg+xml', bytes: new TextEncoder().encode(drawn(shown)) };
}

function ownPicture({ picture }: Told): Carried | undefined {
  if (picture === undefined || !carried(picture)) return undefined;
  const [, type = '', coding, data = ''] = /^data:(image\/[a-z+]+)(?:;[^,;]*)*?(;base64)?,(.*)$/is.exec(picture) ?? [];
  try {
    const bytes = coding ? fromBase64(data) : new TextEncoder().encode(decodeURIComponent(data));
    return { type: type.toLowerCase(), bytes: bytes as Uint8Array<ArrayBuffer> };
  } catch {
    return undefined;
  }
}

/** What an image holds is drawn, and nothing of it runs. */
async function painted({ type, bytes }: Carried): Promise<Uint8Array> {
  const image = new Image();
  image.src = `data:${type};base64,${base64(bytes)}`;
  await image.decode();
  const [wide, high] = [image.naturalWidth || SIDE, image.naturalHeight || SIDE];
  const scale = type === 'image/svg+xml' ? SIDE / Math.max(wide, high) : Math.min(1, (2 * SIDE) / Math.max(wide, high));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.round(wide * scale), Math.round(high * scale)];
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  if (!blob) throw new Error('no picture');
  return new Uint8Array(await blob.arrayBuffer());
}

/** A round badge with the name of the achievement. */
function drawn({ title, issuer }: Told): string {
  const lines = wrapped(title, 17).slice(0, 4);
  const top = 330 - (lines.length - 1) * 29;
  const text = (size: number, y: number, fill: string, words: string) =>
    s('text', { x: 320, y, fill, 'font-size': size, 'font-family': 'Georgia, serif', 'text-anchor': 'middle' }, words);
  const svg = s(
    'svg',
    { viewBox: `0 0 ${SIDE} ${SIDE}`, width: SIDE, height: SIDE },
    s('circle', { cx: 320, cy: 320, r: 310, fill: '#0b5f73' }),
    s('circle', { cx: 320, cy: 320, r: 280, fill: '#ffffff' }),
    s('circle', { cx: 320, cy: 320, r: 268, fill: 'none', stroke: '#0b5f73', 'stroke-width': 3 }),
    ...lines.map((line, at) => text(50, top + at * 58, '#1d2327', line)),
    text(26, 500, '#565f66', wrapped(issuer.name ?? '', 24)[0] ?? ''),
  );
  return written(svg);
}

function wrapped(text: string, width: number): string[] {
  return text.split(/\s+/).reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) return [...lines, word];
    return [...lines.slice(0, -1), `${last} ${word}`];
  }, []);
}

function written(svg: SVGElement): string {
  return new XMLSerializer().serializeToString(svg);
}
