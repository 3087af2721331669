/** The link that others get. */

import { type Child, h } from '../../src/dom';
import { save } from '../../verify/files';
import { type Held, button, copied, said, shareLink } from '../held';
import { qr } from '../qr';
import { publish } from '../server';
import { t } from '../words';

/** Shown to nobody, or to everybody with the link. */
export function share(held: Pick<Held, 'page' | 'state' | 'act'>, title: string): HTMLElement {
  const told = said();
  const set = (published: boolean) => void held.act(() => publish(held.page, published), told);
  const head = held.state.published ? t('shared') : t('share');
  return h(
    'section',
    { class: 'share sheet', id: 'share', 'aria-labelledby': 'share-title' },
    h('h2', { id: 'share-title', tabindex: -1 }, head),
    ...(held.state.published ? published(held, title, set) : [h('p', {}, t('share-about')), button('publish', () => set(true), 'main')]),
    told,
  );
}

function published({ page, state }: Pick<Held, 'page' | 'state'>, title: string, set: (published: boolean) => void): Child[] {
  const link = shareLink(page);
  const code = qr(link, t('qr-of-link'));
  return [
    h('p', {}, t('shared-about')),
    copied(t('link'), link),
    h(
      'div',
      { class: 'with-code' },
      h(
        'div',
        {},
        h(
          'div',
          { class: 'row' },
          h('a', { class: 'button', href: link, target: '_blank', rel: 'noopener' }, t('see-as-others')),
          'share' in navigator && button('share-with', () => void navigator.share({ title, url: link }).catch(() => undefined)),
        ),
        h('p', { class: 'views' }, t('views', { count: state.views })),
      ),
      code && h('figure', {}, code, h('figcaption', {}, button('qr-save', () => save('link.svg', svgFile(code)), 'link'))),
    ),
    h('p', { class: 'quiet' }, t('unpublish-about'), ' ', button('unpublish', () => set(false), 'link')),
  ];
}

function svgFile(code: SVGElement): Uint8Array {
  const alone = code.cloneNode(true) as SVGElement;
  alone.setAttribute('width', '400');
  alone.setAttribute('height', '400');
  return new TextEncoder().encode(new XMLSerializer().serializeToString(alone));
}
