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

/** As HTML of the kind that mail programs keep: a table, styles in the elements, no script, and a text for the picture. */
export function html({ achievement, issuer, link, verify, image }: Signature): string {
  const href = escaped(checked(link));
  const shown = image?.startsWith('https://') && isWeb(image) ? image : undefined;
  const picture =
    shown === undefined
      ? ''
      : `<td style="padding:0 12px 0 0;vertical-align:middle"><a href="${href}"><img src="${escaped(shown)}" alt="" width="56" height="56" style="display:block;border:0"></a></td>`;
  return (
    '<table role="presentation" cellpadding="0" cellspacing="0" style="border-collapse:collapse;font:14px/1.4 Arial,Helvetica,sans-serif">' +
    `<tr>${picture}<td style="vertical-align:middle"><strong>${escaped(achievement)}</strong><br>${escaped(issuer)}<br>` +
    `<a href="${href}">${escaped(verify)}</a></td></tr></table>\n`
  );
}

/** As plain text. */
export function text({ achievement, issuer, link, verify }: Signature): string {
  const line = (words: string) => words.trim().split(/\s+/).join(' ');
  return `${line(achievement)} · ${line(issuer)}\n${verify}: ${checked(link)}\n`;
}
