/** QR codes, drawn as one path. Dark on light in every theme: not all readers take them otherwise. */

import { encode } from 'uqr';
import { s } from '../src/dom';

/** What a code of the largest version holds at the lowest level. */
const LONGEST = 2953;

/** The code of a text; `null` where it is too long for one. */
export function qr(text: string, label: string): SVGElement | null {
  if (new TextEncoder().encode(text).length > LONGEST) return null;
  const { size, data } = encode(text, { ecc: text.length > 300 ? 'L' : 'M', border: 3 });
  const dots = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return s(
    'svg',
    { class: 'qr', viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' },
    s('rect', { width: size, height: size, fill: '#fff' }),
    s('path', { d: dots.join(''), fill: '#000' }),
  );
}
