/** Showing a credential elsewhere: LinkedIn, e-mails, one's own pages. */

import { type Child, h, replace } from '../../src/dom';
import { language } from '../../src/i18n';
import { type Embedded, embedCode } from '../embed-code';
import { type Held, button, copied, said, shareLink, unpublished } from '../held';
import { fields, url } from '../linkedin';
import * as signature from '../signature';
import { t } from '../words';

export function linkedin(held: Held): Child[] {
  const { shown } = held.credential;
  const organizationId = held.trust.host.linkedin;
  const [issued, expires] = [day(shown.from), day(shown.until)];
  const entry = {
    name: shown.title,
    organization: shown.issuer.name ?? shown.issuer.id ?? '',
    ...(organizationId !== undefined && { organizationId }),
    ...(issued && { issued }),
    ...(expires && { expires }),
    id: shown.id ?? held.page.id,
    link: shareLink(held.page),
  };
  return [
    unpublished(held),
    h('p', {}, h('a', { class: 'button main', id: 'linkedin-add', href: url(entry), target: '_blank', rel: 'noopener noreferrer' }, t('linkedin-add'))),
    h('p', {}, t('linkedin-copy')),
    ...fields(entry).map(([label, value]) => copied(label, value)),
  ];
}

export function emailSignature(held: Held): Child[] {
  const { shown } = held.credential;
  const given = {
    achievement: shown.title,
    issuer: shown.issuer.name ?? '',
    link: shareLink(held.page),
    verify: t('signature-verify'),
    image: shown.picture,
  };
  const [html, text] = [signature.html(given), signature.text(given)];
  return [unpublished(held), h('p', {}, t('signature-how')), rich(html, text), copied(t('signature-text'), text.trimEnd(), 3), copied('HTML', html.trimEnd(), 4)];
}

/** As mail programs paste it: formatted. */
function rich(html: string, text: string): HTMLElement {
  const told = said();
  const copy = async () => {
    try {
      const parts = { 'text/html': new Blob([html], { type: 'text/html' }), 'text/plain': new Blob([text], { type: 'text/plain' }) };
      await navigator.clipboard.write([new ClipboardItem(parts)]);
      replace(told, t('copied'));
    } catch {
      replace(told, t('copy-yourself'));
    }
  };
  return h('div', { class: 'working' }, button('signature-copy', () => void copy(), 'main'), told);
}

export function embed(held: Held): Child[] {
  const code = (credential: Embedded) => embedCode(location.origin, credential, language).trimEnd();
  return [
    unpublished(held),
    h('p', {}, t('embed-how')),
    copied(t('embed-code'), code({ at: shareLink(held.page) }), 4),
    h('p', { class: 'quiet' }, t('embed-whole')),
    copied(t('embed-code-whole'), code({ whole: held.credential.text }), 4),
  ];
}

function day(text: string | undefined): Date | undefined {
  const at = new Date(text ?? '');
  return Number.isNaN(at.getTime()) ? undefined : at;
}
