/** What came of a check, in the visitor's words. The verifier's own, in English, where these have none for it. */

import { type Child, h } from '../src/dom';
import { moment } from '../src/i18n';
import { chain } from '../src/parts';
import type { Check, Result } from '../src/verifier';
import type { Trust } from './settings';
import { t, known } from './words';

type Detail = { [member: string]: unknown };

/** Members that hold a moment, in seconds since 1970. */
const MOMENTS = ['time', 'from', 'until', 'asOf', 'as_of'];
const CHAINS = ['chain', 'wanted', 'served'];

/** The sentence for a check. */
export function sentence({ check, outcome, detail, message }: Check): string {
  if (outcome === 'not applicable' || detail === undefined) return t('is-nothing');
  if (check === 'inclusion' && detail.kind === 'document') return t('is-otherBatch');
  return told(detail) ?? upper(message);
}

/** The sentence for a verdict: what decides it, or that nothing stands against it. */
export function why(result: Result): string {
  if (result.decisive) return sentence(result.decisive);
  const unknown = result.checks.some(({ outcome }) => outcome === 'unknown');
  if (onlyAKey(result)) return t('why-valid-key');
  return t(unknown ? 'why-valid-limits' : 'why-valid');
}

/** Whether the issuer was proven to be a key or an account that nobody gives a name: whoever made it calls himself as he likes. */
export function onlyAKey({ checks }: Result): boolean {
  const detail = checks.find(({ check }) => check === 'issuer')?.detail;
  if (detail === undefined || typeof detail['name'] === 'string') return false;
  return detail['tie'] === 'selfNamed' || /^did:(key|jwk|pkh):/.test(String(detail['named']));
}

/** Who decided what is trusted. */
export function trustedBy({ settings, preset, host }: Trust): string {
  if (JSON.stringify(settings) !== JSON.stringify(preset)) return t('basis-trust-own');
  return Object.keys(host).length === 0 ? t('basis-trust-default') : t('basis-trust-host', { host: location.host });
}

function told(detail: Detail): string | undefined {
  const { kind } = detail;
  const words = (key: string, from: Detail = detail) => known(key, plain(from));
  switch (kind) {
    case 'unseen':
      return words(`unseen-${String(detail['fault'])}`);
    case 'signature':
      return signature(detail);
    case 'tied':
      return detail['name'] ? words('is-tied') : t('is-tied-unnamed');
    case 'included':
      return words('is-included', { ...detail, leafIndex: Number(detail['leafIndex']) + 1 });
    case 'within':
      return detail['until'] === null && detail['from'] === null ? t('is-without-period') : t('is-within');
    case 'statusSet':
      return words('is-statusSet', { ...detail, did: known(`did-${purpose(detail['purpose'])}`) ?? t('did-other') });
    case 'listUnknown':
      return words('is-listUnknown', { host: host(String(detail['list'])) });
    default:
      return words(`is-${String(kind)}`);
  }
}

/** A fault or a gap of a signature is an object of its own. */
function signature(detail: Detail): string | undefined {
  for (const which of ['fault', 'gap']) {
    const inner = detail[which] as Detail | undefined;
    if (inner !== undefined) return known(`${which}-${String(inner[which])}`, plain({ ...detail, ...inner }));
  }
  return undefined;
}

/** What a check rests on, as pairs of name and value. */
export function figures({ check, detail, message, outcome }: Check, { status }: Result): [string, Child][] {
  const pairs: [string, Child][] = Object.entries(detail ?? {}).flatMap(([member, value]) => {
    const name = known(`f-${member}`);
    if (member === 'leafIndex') return []; // told in the sentence, counted from one
    const shown = name === undefined ? null : figure(member, value);
    return name === undefined || shown === null ? [] : [[name, shown] as [string, Child]];
  });
  if (check === 'status' && status.length > 0) pairs.push([t('f-status'), status.map(bit).join(' · ')]);
  if (outcome === 'fail' || outcome === 'unknown') pairs.push([t('f-message'), message]);
  return pairs;
}

/** A purpose is named by the verifier, or numbered where the contract numbers it. */
function purpose(value: unknown): string {
  return ['revocation', 'suspension'][Number(value)] ?? String(value);
}

function bit({ purpose, set }: Result['status'][number]): string {
  const name = known(`bit-${purpose}`) ?? purpose;
  return t(set === null ? 'bit-unknown' : set ? 'bit-set' : 'bit-clear', { purpose: name });
}

function figure(member: string, value: unknown): Child {
  if (value === null || value === undefined || value === 0) return null;
  if (member === 'tie') return tie(value);
  if (member === 'purpose') return known(`bit-${purpose(value)}`) ?? String(value);
  if (member === 'finality') return known(`finality-${String(value)}`) ?? String(value);
  if (typeof value === 'object' && !Array.isArray(value)) return null;
  const text = written(member, value);
  return /^(0x)?[0-9a-f]{40,64}$/.test(text) ? h('code', {}, text) : text;
}

function tie(value: unknown): string {
  if (typeof value === 'string') return known(`tie-${value}`) ?? value;
  const source = ((value as Detail)['told'] as Detail | undefined)?.['source'] as Detail | undefined;
  return (source && known(`tie-${String(source['kind'])}`, plain(source))) ?? JSON.stringify(value);
}

/** Every member as text. */
function plain(detail: Detail): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(detail).map(([member, value]) => [member, member === 'count' ? Number(value) : written(member, value)]),
  );
}

function written(member: string, value: unknown): string {
  if (MOMENTS.includes(member) && typeof value === 'number') return moment(new Date(value * 1000));
  if (CHAINS.includes(member)) return chain(String(value));
  if (Array.isArray(value)) return value.join(', ');
  return String(value);
}

export function host(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function upper(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
