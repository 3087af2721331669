/** What only the owner of a page does: keep the way back to it, change its link, delete it. */

import { type Child, h, replace } from '../../src/dom';
import { draw } from '../code';
import { type Held, button, copied, ownLink, said, working } from '../held';
import { type Kept, forget, keep } from '../keep';
import { seal } from '../sealed';
import { create, publish, remove } from '../server';
import { sentence } from '../trouble';
import { type Key, t } from '../words';

/** The way back from another device. */
export function own({ page }: Pick<Held, 'page'>): Child[] {
  const link = ownLink(page);
  const mail = `mailto:?subject=${encodeURIComponent(page.title)}&body=${encodeURIComponent(`${t('own-mail')}\n\n${link}\n`)}`;
  return [h('p', {}, t('own-about')), copied(t('own-link'), link), h('p', {}, h('a', { href: mail }, t('own-send')))];
}

/** The same credential under another id and key; the link that was given away leads nowhere from then on. */
export function anew({ page, state, credential }: Held, open: (page: Kept) => void): Child[] {
  const { parent = { id: page.id, owner: page.owner } } = page;
  const make = async () => {
    const fresh: Kept = { ...page, id: draw(), key: draw(), owner: draw(), parent };
    await create(parent, fresh, 'credential', await seal(credential.text, fresh));
    keep(fresh);
    if (state.published) {
      await publish(fresh, true);
      await publish(page, false);
    }
    open(fresh);
  };
  return [h('p', {}, t('anew-about')), working('anew-make', make, 'main')];
}

/** Asked twice. */
export function deletion({ page }: Pick<Held, 'page'>, gone: () => void, about: Key = 'delete-about'): Child[] {
  const place = h('div', {});
  const ask = () => {
    const told = said();
    const sure = button('delete-sure', () => void run(told), 'danger');
    replace(place, h('p', { class: 'notice bad' }, t('delete-ask')), h('div', { class: 'row' }, sure, button('delete-not', first)), told);
    sure.focus();
  };
  const first = () => replace(place, button('delete', ask));
  const run = async (told: HTMLElement) => {
    try {
      await remove(page);
      forget(page.id);
      gone();
    } catch (fault) {
      replace(told, sentence(fault));
    }
  };
  first();
  return [h('p', {}, t(about)), place];
}
