/** A line below somebody's e-mails: what they achieved, with a link to verify it. */

import { checked, html as escaped, isWeb } from './escape';

export interface Signature {
  achievement: string;
  issuer: string;
  /** Where it can be verified. */
  link: string;
  /** What the link says. */
  verify: string;
  /** The badge's picture: an `https` URL, since mail programs show no others. */
  image?: string | undefined;
}

/**
 * As HTML of the kind that mail programs keep: a table, no script, and no styles, which the clipboard would lose under this
 * page's policy; letters are as in the rest of the mail.
 */
export function html({ achievement, issuer, link, verify, image }: Signature): string {
  const href = escaped(checked(link));
  const shown = image?.startsWith('https://') && isWeb(image) ? image : undefined;
  const img = shown && `<a href="${href}"><img src="${escaped(shown)}" alt="" width="56" height="56" border="0"></a>`;
  const picture = img === undefined ? '' : `<td width="68" valign="middle">${img}</td>`;
  return (
    `<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>${picture}<td valign="middle">` +
    `<strong>${escaped(achievement)}</strong><br>${escaped(issuer)}<br><a href="${href}">${escaped(verify)}</a></td></tr></table>\n`
  );
}

/** As plain text. */
export function text({ achievement, issuer, link, verify }: Signature): string {
  const line = (words: string) => words.trim().split(/\s+/).join(' ');
  return `${line(achievement)} · ${line(issuer)}\n${verify}: ${checked(link)}\n`;
}
