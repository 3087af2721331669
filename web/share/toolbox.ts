/** Everything that can be made of a credential, each in a panel that is filled when it is opened. */

import { type Child, h, replace } from '../src/dom';
import type { Held } from './held';
import type { Kept } from './keep';
import { portfolioTool } from './tools/portfolio';
import { CERTIFICATE, certificate, download, picture, wallet, wholeLink } from './tools/files';
import { anew, deletion, own } from './tools/own';
import { preview } from './tools/preview';
import { embed, emailSignature, linkedin } from './tools/show';
import { type Key, t } from './words';

export interface After {
  /** Another page is to be managed. */
  open(page: Kept): void;
  /** The page is no more. */
  gone(): void;
}

interface Tool {
  name: string;
  title: Key;
  about: Key;
  content(held: Held): Child[];
  /** Whether there is such a thing for this page. Default: yes. */
  there?(held: Held): boolean;
}

const tool = (name: Tool['name'] & keyof typeof TITLES, content: Tool['content'], there?: Tool['there']): Tool => ({
  name,
  title: TITLES[name][0],
  about: TITLES[name][1],
  content,
  ...(there && { there }),
});

const TITLES = {
  linkedin: ['t-linkedin', 't-linkedin-about'],
  signature: ['t-signature', 't-signature-about'],
  embed: ['t-embed', 't-embed-about'],
  preview: ['t-preview', 't-preview-about'],
  portfolio: ['t-portfolio', 't-portfolio-about'],
  download: ['t-download', 't-download-about'],
  picture: ['t-picture', 't-picture-about'],
  certificate: ['t-certificate', 't-certificate-about'],
  wallet: ['t-wallet', 't-wallet-about'],
  whole: ['t-whole', 't-whole-about'],
  own: ['t-own', 't-own-about'],
  anew: ['t-anew', 't-anew-about'],
  delete: ['t-delete', 't-delete-about'],
} as const satisfies Record<string, [Key, Key]>;

/** The panels; `draw` shows them as the page now is, and leaves those open that are. */
export function toolbox(held: () => Held, after: After): { element: HTMLElement; draw(): void } {
  const groups: [Key, Tool[]][] = [
    ['g-show', [tool('linkedin', linkedin), tool('signature', emailSignature), tool('embed', embed), tool('preview', preview), tool('portfolio', (held) => portfolioTool(held, after.open))]],
    ['g-keep', [tool('certificate', certificate, ({ state }) => state.parts.includes(CERTIFICATE)), tool('wallet', wallet), tool('picture', picture), tool('download', download), tool('whole', wholeLink)]],
    ['g-own', [tool('own', own), tool('anew', (held) => anew(held, after.open)), tool('delete', (held) => deletion(held, after.gone))]],
  ];
  const element = h('div', { class: 'tools' });
  return { element, draw };

  function draw(): void {
    const open = new Set([...element.querySelectorAll('details[open]')].map(({ id }) => id));
    replace(element, ...groups.flatMap(([title, tools]) => group(title, tools, open)));
  }

  function group(title: Key, tools: Tool[], open: Set<string>): Child[] {
    const there = tools.filter((tool) => tool.there?.(held()) ?? true);
    return [h('h2', {}, t(title)), ...there.map((tool) => panel(tool, held, open.has(`tool-${tool.name}`)))];
  }
}

function panel({ name, title, about, content }: Tool, held: () => Held, open: boolean): HTMLElement {
  const place = h('div', { class: 'content' });
  const summary = h('summary', {}, h('span', {}, h('span', { class: 'question' }, t(title)), h('span', { class: 'told' }, t(about))));
  const details = h('details', { class: 'tool', id: `tool-${name}`, open }, summary, place);
  const fill = () => details.open && place.childElementCount === 0 && replace(place, ...content(held()));
  details.addEventListener('toggle', fill);
  fill();
  return details;
}
