/** The verdict first, then everything it rests on. */

import { type Child, h, replace } from '../src/dom';
import { moment, number } from '../src/i18n';
import { chain, facts, notice } from '../src/parts';
import { OUTCOMES, VERDICTS, sign } from '../src/sign';
import { type Check, type Result, VERIFIER_HASH, verifier } from '../src/verifier';
import { type Item, save, sha256 } from './files';
import { type Ways, help } from './help';
import { figures, sentence, why } from './tell';
import { t } from './words';

/** Links longer than this are cut off by some programs through which people send them. */
const LONGEST_LINK = 32_000;

/** What surrounds a verdict. */
export interface Around {
  /** Whether it is what the page is about; beside others, it is one part of it. */
  alone: boolean;
  /** What can be done with the credential; `said` tells what came of it. */
  actions(said: HTMLElement): Child[];
}

/** The word, the sign, one sentence, and what can be done. */
export function verdict(item: Item, result: Result, ways: Ways, around: Around): HTMLElement {
  const [name, id] = around.alone ? (['h1', 'verdict'] as const) : (['h2', 'verdict-of-one'] as const);
  const kind = VERDICTS[result.verdict];
  const said = h('p', { class: 'said', role: 'status' });
  const evidence = result.evidence;
  return h(
    'section',
    { class: `verdict ${kind}`, 'aria-labelledby': id },
    sign(kind),
    h(
      'div',
      {},
      h(name, { id, tabindex: -1 }, t(result.verdict)),
      h('p', { class: 'why' }, why(result)),
      result.verdict === 'unverifiable' && h('p', { class: 'means' }, t('unverifiable-means')),
      help(result, ways),
      h('p', { class: 'when' }, h('span', {}, item.name), ' · ', t('checked-at', { time: moment(new Date(result.now * 1000)) })),
      h(
        'div',
        { class: 'row actions' },
        ...around.actions(said),
        evidence && h('button', { type: 'button', title: t('evidence-about'), onclick: () => save(`${item.name}.evidence`, evidence) }, t('get-evidence')),
        h('button', { type: 'button', onclick: () => window.print() }, t('print')),
      ),
      said,
    ),
  );
}

/** Every check, each to be opened. */
export function checks(result: Result): HTMLElement {
  return h('section', { class: 'checks' }, h('h2', {}, t('details')), ...result.checks.map((check) => one(check, result)));
}

function one(check: Check, result: Result): HTMLElement {
  const question = h('span', { class: 'question' }, t(`check-${check.check}`));
  const outcome = h('span', { class: 'hidden' }, `: ${t(`outcome-${check.outcome}`)}. `);
  const told = h('span', { class: 'told' }, sentence(check));
  const line = [sign(OUTCOMES[check.outcome]), h('span', {}, question, outcome, told)];
  const pairs = figures(check, result);
  if (pairs.length === 0) return h('div', { class: 'check' }, ...line);
  return h('details', { class: 'check' }, h('summary', {}, ...line), facts(pairs));
}

/** Who said what: endpoints, blocks, and everything that was asked. */
export function basis(item: Item, { basis, detail, asked, opened }: Result, trust: string): HTMLElement {
  const hash = h('code', {}, '…');
  void sha256(item.bytes).then((text) => replace(hash, text), () => replace(hash, '—'));
  const pairs: [string, Child][] = basis ? read(basis) : [];
  return h(
    'section',
    { class: 'basis' },
    h('h2', {}, t('rests-on')),
    h('p', {}, t(basis ? `basis-${basis.mode}` : opened?.receipt ? 'basis-none' : 'basis-unneeded')),
    basis?.mode === 'agreement' && basis.needed < 2 && notice(t('basis-alone')),
    detail !== null && notice(detail),
    facts([
      ...pairs,
      [t('basis-trust'), trust],
      [t('file-hash'), hash],
      [t('verifier-hash'), h('code', {}, VERIFIER_HASH)],
    ]),
    asked.length > 0 && requests(asked),
  );
}

function read(basis: NonNullable<Result['basis']>): [string, Child][] {
  const { head, settled, needed, given, readFrom, passedOver } = basis;
  const block = ({ number: height, hash, time }: typeof head) =>
    h('span', {}, `${number(height)}, ${moment(new Date(time * 1000))}`, h('br'), h('code', {}, hash));
  const passed = passedOver.map(({ endpoint, reason }) => h('li', {}, h('code', {}, endpoint), ` ${reason}`));
  return [
    [t('f-chain'), chain(basis.chain)],
    [t('basis-agreed'), settled.by.length > 0 && `${settled.by.join(', ')} (${t('basis-needed', { needed, given })})`],
    [t('basis-passed'), passed.length > 0 && h('ul', { class: 'plain' }, ...passed)],
    [t('basis-head'), block(head)],
    [t('basis-settled'), block(settled)],
    [t('basis-read'), readFrom.join(', ') || null],
  ];
}

function requests(asked: Result['asked']): HTMLElement {
  const line = ({ kind, of, method, trouble }: Result['asked'][number]) =>
    h('li', {}, h('code', {}, [method ?? kind, of].filter(Boolean).join(' ')), trouble !== null && h('span', { class: 'error' }, ` ${trouble}`));
  return h('details', { class: 'asked' }, h('summary', {}, `${t('basis-asked')}: ${t('basis-requests', { count: asked.length })}`), h('ol', {}, ...asked.map(line)));
}

/** A link to this page with the credential in it. */
export function copyLink(item: Item, said: HTMLElement): Child {
  return item.result?.opened?.credential && h('button', { type: 'button', onclick: () => void copy(item, said) }, t('get-link'));
}

async function copy({ bytes }: Item, said: HTMLElement): Promise<void> {
  const fragment = await (await verifier()).toFragment(bytes);
  if (fragment.length > LONGEST_LINK) return replace(said, t('link-too-long'));
  const link = new URL(location.href);
  link.hash = fragment;
  link.search = '';
  try {
    await navigator.clipboard.writeText(link.href);
    replace(said, t('link-copied'));
  } catch {
    history.replaceState(null, '', link);
    replace(said, t('link-here'));
  }
}
