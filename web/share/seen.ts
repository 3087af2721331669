/** A credential, verified here: the verdict first, then what it says, then every check. */

import { type Child, h, replace } from '../src/dom';
import type { RecognisedIssuer } from '../src/verifier';
import { save } from '../verify/files';
import type { Settings, Trust } from '../verify/settings';
import { openSettings, settingsForm } from '../verify/settings-form';
import { card } from '../verify/show';
import { trustedBy, why } from '../verify/tell';
import { basis, checks, verdict } from '../verify/verdict';
import { t as v } from '../verify/words';
import { type Credential, check } from './checking';
import { copied } from './held';
import { type Key, t } from './words';

/** Verifies it, and shows it; again whenever the visitor trusts somebody else. */
export async function see(place: HTMLElement, { item }: Credential, trust: Trust): Promise<void> {
  const live = h('p', { class: 'hidden', role: 'status' });
  const change = (more: Partial<Settings>) => void again({ ...trust, settings: { ...trust.settings, ...more } });
  const ways = {
    again: () => change({}),
    settings: openSettings,
    recognise: (issuer: RecognisedIssuer) => change({ issuers: [...trust.settings.issuers, issuer] }),
    askHosts: () => change({ documents: true }),
  };
  await again(trust);

  async function again(wanted: Trust): Promise<void> {
    trust = wanted;
    const answers = h('p', { class: 'quiet' });
    replace(place, h('h1', {}, v('verifying')), h('progress', { 'aria-label': v('verifying') }), answers);
    await check(item, trust.settings, (count) => replace(answers, v('answers', { count })));
    const { result } = item;
    if (!result) return;
    const actions = () => [button('download', () => save(item.name, item.bytes))];
    replace(
      place,
      verdict(item, result, ways, { alone: true, actions }),
      h('div', { class: 'result' }, card(item, () => undefined), h('div', {}, checks(result), basis(item, result, trustedBy(trust)))),
      elsewhere(item.name, trust.settings),
      settingsForm(trust.settings, trust.preset, change),
      live,
    );
    replace(live, v('announce', { verdict: v(result.verdict), why: why(result) }));
    document.getElementById('verdict')?.focus();
  }
}

/** For whoever does not take this page's word. */
function elsewhere(name: string, { endpoints }: Settings): HTMLElement {
  const rpc = endpoints.map((url) => ` --rpc ${url}`).join('');
  const verifyPage = h('a', { href: '/verify/' }, t('elsewhere-page'));
  return h(
    'section',
    { class: 'elsewhere' },
    h('h2', {}, t('elsewhere')),
    h('p', {}, t('elsewhere-about'), ' ', verifyPage),
    copied(t('elsewhere-command'), `testamur verify ${name}${rpc || ' --rpc https://…'}`),
  );
}

function button(key: Key, onclick: () => void): Child {
  return h('button', { type: 'button', class: 'main', onclick }, t(key));
}
