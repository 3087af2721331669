/** Keeping a credential: as a file, a picture, paper, in a wallet, or in a link that needs no server. */

import { type Child, h, replace } from '../../src/dom';
import { moment } from '../../src/i18n';
import { verifier } from '../../src/verifier';
import { save } from '../../verify/files';
import { bakePng, bakeSvg } from '../bake';
import { fromBase64 } from '../bytes';
import { fileName } from '../checking';
import { type Held, copied, working } from '../held';
import { type Carried, asPng, asSvg, drawnPicture } from '../picture';
import { qr } from '../qr';
import { SealedFault, open } from '../sealed';
import { ServerFault, offer, part } from '../server';
import { t } from '../words';

/** The part of a page that holds the certificate. */
export const CERTIFICATE = 'certificate';
/** Links longer than this are cut off by some programs through which people send them. */
const LONGEST_LINK = 32_000;
const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code';

export function download({ credential }: Held): Child[] {
  const get = async () => save(credential.item.name, credential.item.bytes);
  return [h('p', {}, t('download-about')), working('download', get, 'main')];
}

export function picture({ credential: { shown, text } }: Held): Child[] {
  const name = fileName(shown.title);
  const png = async (own?: Carried) => bakePng(await asPng(shown, own), text);
  const svg = async (own?: Carried) => new TextEncoder().encode(bakeSvg(asSvg(shown, own), text));
  // A damaged picture is no reason to have none.
  const get = (ending: string, baked: typeof png) => async () => save(`${name}.${ending}`, await baked().catch(() => baked(drawnPicture(shown))));
  return [h('p', {}, t('picture-about')), h('div', { class: 'row' }, working('picture-png', get('png', png), 'main'), working('picture-svg', get('svg', svg)))];
}

export function certificate({ page }: Held): Child[] {
  const get = async () => {
    const { name, bytes } = pdf(await open(await part(page, CERTIFICATE), page));
    save(name, bytes);
  };
  return [h('p', {}, t('certificate-about')), working('certificate-get', get, 'main')];
}

/** What the issuer sealed as the certificate. */
function pdf(text: string): { name: string; bytes: Uint8Array } {
  try {
    const { name, type, base64 } = JSON.parse(text) as Record<string, unknown>;
    if (type !== 'application/pdf' || typeof base64 !== 'string') throw new SealedFault('damaged');
    return { name: `${fileName(String(name).replace(/\.pdf$/i, ''))}.pdf`, bytes: fromBase64(base64) };
  } catch {
    throw new SealedFault('damaged');
  }
}

export function wholeLink({ credential: { item } }: Held): Child[] {
  const place = h('div', {});
  const make = async () => {
    const fragment = await (await verifier()).toFragment(item.bytes);
    const link = `${location.origin}/verify/#${fragment}`;
    if (fragment.length > LONGEST_LINK) return replace(place, h('p', { class: 'notice' }, t('whole-too-long')));
    const code = qr(link, t('qr-of-link'));
    replace(place, copied(t('link'), link, 3), code ? h('figure', { class: 'large' }, code) : h('p', { class: 'quiet' }, t('whole-no-qr')));
  };
  return [h('p', {}, t('whole-about')), working('whole-make', make, 'main'), place];
}

/** An offer of OpenID4VCI 1.0 with a pre-authorized code. The server has the code only as a hash, and the key not at all, until a wallet brings both. */
export function wallet({ page }: Held): Child[] {
  const place = h('div', {});
  const make = async () => {
    const [{ code, expires }, metadata] = await Promise.all([offer(page), issuerMetadata()]);
    const value = {
      credential_issuer: metadata.credential_issuer,
      credential_configuration_ids: Object.keys(metadata.credential_configurations_supported).slice(0, 1),
      grants: { [PRE_AUTHORIZED]: { 'pre-authorized_code': [page.id, page.key, code].join('.') } },
    };
    const link = `openid-credential-offer://?credential_offer=${encodeURIComponent(JSON.stringify(value))}`;
    const shown = qr(link, t('qr-of-offer'));
    replace(
      place,
      shown && h('figure', { class: 'large', id: 'offer-code' }, shown),
      h('p', {}, h('a', { class: 'button', href: link, id: 'offer' }, t('wallet-open'))),
      h('p', { class: 'quiet' }, t('wallet-until', { time: moment(new Date(expires * 1000)) })),
    );
  };
  return [h('p', {}, t('wallet-how')), working('wallet-make', make, 'main'), place];
}

interface Metadata {
  credential_issuer: string;
  credential_configurations_supported: object;
}

async function issuerMetadata(): Promise<Metadata> {
  const answer = await fetch('/.well-known/openid-credential-issuer', { credentials: 'omit' }).catch(() => undefined);
  if (!answer?.ok) throw new ServerFault('unreachable');
  return (await answer.json()) as Metadata;
}
