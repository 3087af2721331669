/**
 * Bars, as SVG: drawn for the width that there is, with axes that name their units, a reading for the pointer, and a
 * table that says the same.
 */

import { h, replace, s } from '../src/dom';
import { compact } from '../src/i18n';
import { t } from './words';

/** One bar. */
export interface Bar {
  /** Under the axis, short. */
  label: string;
  /** In full. */
  name: string;
  /** One height for each series, on top of each other; null: not known. */
  values: (number | null)[];
}

/** A plot. */
export interface Plot {
  title: string;
  x: string;
  y: string;
  /** What the parts of a bar are; one that needs no name has one part. */
  series: string[];
  bars: Bar[];
  /** A value in words. */
  say: (value: number) => string;
}

const HEIGHT = 200;
const MARGIN = { top: 28, right: 4, bottom: 40, left: 52 };
const LABEL_WIDTH = 76;

/** A figure that draws itself again when its width changes. */
export function plot(spec: Plot): HTMLElement {
  const known = spec.bars.filter((bar) => sum(bar) !== null);
  const title = h('h3', {}, spec.title);
  if (known.length === 0) {
    return h('figure', { class: 'plot sheet' }, h('figcaption', {}, title), h('p', { class: 'quiet' }, t('plot-none')));
  }
  const reading = h('p', { class: 'reading quiet' }, highest(spec, known));
  const canvas = h('div', { class: 'canvas' });
  const read = (bar: Bar | null) => {
    reading.textContent = bar ? `${bar.name}: ${saying(spec, bar)}` : highest(spec, known);
  };
  let drawn = 0;
  new ResizeObserver(() => {
    const width = Math.floor(canvas.clientWidth);
    if (width > 0 && width !== drawn) replace(canvas, draw(spec, (drawn = width), read));
  }).observe(canvas);
  const legend = spec.series.length > 1 && h('ul', { class: 'legend' }, ...spec.series.map((name, k) => h('li', { class: `part-${k}` }, name)));
  return h('figure', { class: 'plot sheet' }, h('figcaption', {}, title, reading), legend, canvas, table(spec));
}

function draw(spec: Plot, width: number, read: (bar: Bar | null) => void): SVGElement {
  const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const ticks = steps(Math.max(...spec.bars.map((bar) => sum(bar) ?? 0)));
  const top = ticks.at(-1) ?? 1;
  const y = (value: number) => MARGIN.top + inner.height * (1 - value / top);
  const slot = inner.width / spec.bars.length;
  const grid = ticks.map((tick) => [
    s('line', { class: 'grid', x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
    s('text', { x: MARGIN.left - 7, y: y(tick) + 4, 'text-anchor': 'end' }, compact(tick)),
  ]);
  const every = Math.ceil((spec.bars.length * LABEL_WIDTH) / inner.width);
  const bars = spec.bars.map((bar, k) => {
    const x = MARGIN.left + k * slot;
    const labelled = (spec.bars.length - 1 - k) % every === 0;
    const middle = Math.min(x + slot / 2, width - 24);
    return s(
      'g',
      { class: 'bar', onpointerenter: () => read(bar), onpointerleave: () => read(null) },
      s('rect', { class: 'hit', x, y: MARGIN.top, width: slot, height: inner.height }),
      ...parts(bar, x, slot, y),
      labelled && s('text', { x: middle, y: HEIGHT - 22, 'text-anchor': 'middle' }, bar.label),
    );
  });
  return s(
    'svg',
    { role: 'img', 'aria-label': `${spec.title}. ${highest(spec, spec.bars)}`, viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT },
    ...grid.flat(),
    ...bars,
    s('text', { class: 'axis', x: width - MARGIN.right, y: HEIGHT - 4, 'text-anchor': 'end' }, spec.x),
    s('text', { class: 'axis', x: 0, y: 11 }, spec.y),
  );
}

/** The parts of a bar, from the bottom up. A slot is never filled to its edges, and what is there is never invisible. */
function parts(bar: Bar, x: number, slot: number, y: (value: number) => number): SVGElement[] {
  const gap = Math.min(slot * 0.25, 6);
  const width = Math.max(Math.min(slot - gap, 42), 1);
  let below = 0;
  return bar.values.flatMap((value, k) => {
    if (!value) return [];
    const [low, high] = [y(below), y((below += value))];
    const height = Math.max(low - high, 1.5);
    return [s('rect', { class: `part-${k}`, x: x + (slot - width) / 2, y: low - height, width, height, rx: Math.min(width / 4, 2) })];
  });
}

function table(spec: Plot): HTMLElement {
  const heads = [spec.x, ...(spec.series.length > 1 ? spec.series : [spec.y])];
  const cell = (value: number | null) => h('td', {}, value === null ? t('not-kept') : spec.say(value));
  const rows = spec.bars.map((bar) => h('tr', {}, h('th', { scope: 'row' }, bar.name), ...bar.values.map(cell)));
  const head = h('thead', {}, h('tr', {}, ...heads.map((text) => h('th', { scope: 'col' }, text))));
  const body = h('table', {}, h('caption', { class: 'hidden' }, spec.title), head, h('tbody', {}, ...rows));
  const scroll = h('div', { class: 'scroll table', tabindex: 0, role: 'region', 'aria-label': spec.title }, body);
  return h('details', {}, h('summary', {}, t('as-table')), scroll);
}

function saying(spec: Plot, bar: Bar): string {
  const told = bar.values.map((value, k) => {
    if (value === null) return t('not-kept');
    const series = spec.series[k];
    return spec.series.length > 1 && series !== undefined ? `${spec.say(value)} ${series}` : spec.say(value);
  });
  return told.filter((_, k) => spec.series.length === 1 || bar.values[k] !== 0).join(', ');
}

function highest(spec: Plot, bars: Bar[]): string {
  const most = bars.reduce((best, bar) => ((sum(bar) ?? 0) >= (sum(best) ?? 0) ? bar : best));
  return t('plot-most', { value: spec.say(sum(most) ?? 0), label: most.name });
}

/** The height of a bar; null where one of its parts is not known. */
function sum(bar: Bar): number | null {
  return bar.values.reduce((all, value) => (all === null || value === null ? null : all + value), 0 as number | null);
}

/** Zero and two to five round numbers, up to at least the highest value. */
export function steps(most: number): number[] {
  const rough = Math.max(most, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough) ?? 1, most > 4 ? 0 : 1);
  return Array.from({ length: Math.ceil(Math.max(most, 1) / step) + 1 }, (_, k) => k * step);
}
