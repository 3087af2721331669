/** An invitation becomes the learner's page. Until the click nothing happens: programs that look into mails open links too. */

import { h, s } from '../src/dom';
import { sign } from '../src/sign';
import { button } from './held';
import { claiming, claimed } from './keep';
import { manage } from './manage';
import { claim as ask } from './server';
import type { Stage } from './stage';
import { t } from './words';

export interface Invitation {
  id: string;
  key: string;
  token: string;
}

export function claim(stage: Stage, invitation: Invitation): void {
  const points = (['claim-1', 'claim-2', 'claim-3'] as const).map((key) => h('li', {}, sign('good'), h('span', {}, t(key))));
  stage.show(
    h(
      'section',
      { class: 'welcome sheet' },
      seal(),
      h('h1', {}, t('claim-waiting')),
      h('p', { class: 'lead' }, t('claim-from', { host: location.host })),
      button('claim', () => void stage.attempt(() => take(stage, invitation)), 'main large'),
      h('ul', {}, ...points),
    ),
  );
}

/** The owner's code is kept before the server learns of it: when the reply is lost, the same code is sent again. */
async function take(stage: Stage, { id, key, token }: Invitation): Promise<void> {
  stage.wait(t('claiming'));
  const owner = claiming(id);
  await ask(id, token, owner);
  const page = { id, key, owner, kind: 'credential', title: '', issuer: '' } as const;
  claimed(page);
  manage(stage, page, true);
}

/** A seal with a lock: what it holds is not shown yet. */
function seal(): SVGElement {
  const scallop = Array.from({ length: 16 }, (_, k) => {
    const [x, y] = [Math.cos((k * Math.PI) / 8), Math.sin((k * Math.PI) / 8)];
    return s('circle', { class: 'rim', cx: 50 + 34 * x, cy: 44 + 34 * y, r: 9 });
  });
  return s(
    'svg',
    { class: 'seal', viewBox: '0 0 100 120', 'aria-hidden': 'true' },
    s('path', { class: 'ribbon', d: 'M32 70l-8 46 26-14 26 14-8-46z' }),
    ...scallop,
    s('circle', { class: 'rim', cx: 50, cy: 44, r: 36 }),
    s('circle', { class: 'face', cx: 50, cy: 44, r: 29 }),
    s('path', { class: 'lock', d: 'M39 42h22v16h-22zM43 42v-6a7 7 0 0 1 14 0v6M50 48v4' }),
  );
}
