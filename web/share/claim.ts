/** An invitation becomes the learner's page. Until the click nothing happens: programs that look into mails open links too. */

import { h } from '../src/dom';
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
  const points = (['claim-1', 'claim-2', 'claim-3'] as const).map((key) => h('li', {}, t(key)));
  stage.show(
    h(
      'section',
      { class: 'welcome' },
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
