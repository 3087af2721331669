/** Several files at once. */

import { h } from '../src/dom';
import { told } from '../src/credential';
import { table } from '../src/parts';
import { VERDICTS, sign } from '../src/sign';
import type { Item } from './files';
import { why } from './tell';
import { t } from './words';

/** One row for each; `show` opens one. */
export function overview(items: Item[], show: (item: Item) => void): HTMLElement {
  const columns = (['table-file', 'table-verdict', 'table-name', 'table-issuer', 'table-why'] as const).map((key) => ({ text: t(key) }));
  const count = (verdict: string) => items.filter((item) => verdictOf(item) === verdict).length;
  const [valid, invalid, unverifiable] = [count('valid'), count('invalid'), count('unverifiable')];
  return h(
    'section',
    { class: 'overview' },
    h('h1', { id: 'verdict', tabindex: -1 }, t('table-sum', { valid, invalid, unverifiable })),
    table(t('table'), columns, items.map((item) => row(item, show))),
  );
}

/** What was not even read is nothing that could be told. */
function verdictOf({ result }: Item): 'valid' | 'invalid' | 'unverifiable' {
  return result?.verdict ?? 'unverifiable';
}

function row(item: Item, show: (item: Item) => void) {
  const verdict = verdictOf(item);
  const credential = item.result?.opened?.credential;
  const shown = credential ? told(credential) : undefined;
  const name = item.result
    ? h('button', { type: 'button', class: 'link', 'aria-label': t('table-show', { name: item.name }), onclick: () => show(item) }, item.name)
    : item.name;
  return [
    name,
    h('span', { class: `mark ${VERDICTS[verdict]}` }, sign(VERDICTS[verdict]), t(verdict)),
    shown?.title ?? '',
    shown?.issuer.name ?? shown?.issuer.id ?? '',
    h('span', { class: 'why' }, item.result ? why(item.result) : item.trouble),
  ];
}
