/** The credentials that a learner chose to show together, each one opened and verified here. */

import { type Child, h, replace } from '../src/dom';
import { VERDICTS, sign } from '../src/sign';
import type { Settings } from '../verify/settings';
import { why } from '../verify/tell';
import { t as v } from '../verify/words';
import { type Address, link } from './address';
import { type Credential, check, read, trust } from './checking';
import { type Entry, type Portfolio, parsePortfolio } from './portfolio-content';
import { shownPicture } from './picture';
import { open } from './sealed';
import { sealed, viewed } from './server';
import type { Stage } from './stage';
import { sentence } from './trouble';
import { t } from './words';

export function portfolio(stage: Stage, address: Address): void {
  void stage.attempt(async () => {
    stage.wait(t('opening'));
    const content = parsePortfolio(await open(await sealed(address.id), address));
    viewed(address.id).catch(() => undefined);
    const { settings } = await trust();
    const cards = content.credentials.map((entry) => ({ entry, place: h('li', { class: 'sheet one' }, h('p', { class: 'quiet' }, t('opening'))) }));
    stage.show(...head(content), h('ul', { class: 'portfolio' }, ...cards.map(({ place }) => place)));
    for (const { entry, place } of cards) replace(place, ...(await one(entry, settings)));
  });
}

function head({ title, about, credentials }: Portfolio): Child[] {
  return [
    h('h1', {}, title || t('title-p')),
    about !== '' && h('p', { class: 'lead about' }, about),
    credentials.length === 0 && h('p', {}, t('portfolio-empty')),
  ];
}

/** One card; what cannot be opened says why, and nothing else of it is known. */
async function one(entry: Entry, settings: Settings): Promise<Child[]> {
  try {
    const credential = await read(await open(await sealed(entry.id), entry));
    await check(credential.item, settings);
    return card(credential, link(location.origin, { kind: 'c', ...entry }));
  } catch (fault) {
    return [h('p', { class: 'quiet' }, t('portfolio-unseen')), h('p', {}, sentence(fault))];
  }
}

function card({ shown, item: { result } }: Credential, href: string): Child[] {
  if (!result) return [];
  const kind = VERDICTS[result.verdict];
  return [
    h('img', { src: shownPicture(shown), alt: '', class: 'picture' }),
    h('h2', {}, h('a', { href }, shown.title || v('untitled'))),
    h('p', { class: 'quiet' }, [shown.issuer.name ?? shown.issuer.id, shown.recipient.name].filter(Boolean).join(' · ')),
    h('p', { class: `mark ${kind}` }, sign(kind), v(result.verdict)),
    h('p', { class: 'why' }, why(result)),
  ];
}
