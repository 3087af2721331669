/** What an employer sees who was given a link. */

import { h } from '../src/dom';
import type { Address } from './address';
import { read, trust } from './checking';
import { open } from './sealed';
import { see } from './seen';
import { sealed, viewed } from './server';
import type { Stage } from './stage';
import { t } from './words';

export function shared(stage: Stage, address: Address): void {
  void stage.attempt(async () => {
    stage.wait(t('opening'));
    const text = await open(await sealed(address.id), address);
    // It was opened: what becomes of the count is nothing that its reader waits for.
    viewed(address.id).catch(() => undefined);
    const [credential, trusted] = await Promise.all([read(text), trust()]);
    const place = h('div', {});
    stage.show(place);
    await see(place, credential, trusted);
  });
}
