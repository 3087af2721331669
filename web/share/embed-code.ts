/** The code that shows a credential's verdict in any page (see `web/embed`). */

import { checked, html } from './escape';

/** What the element verifies: the credential at an address that other pages may read (CORS), a share page's too; or the credential itself. */
export type Embedded = { at: string } | { whole: string };

/** Two lines of HTML. `host` serves the verifying pages (`https://verify.example`). */
export function embedCode(host: string, credential: Embedded, lang: string): string {
  const attribute = 'at' in credential ? `src="${html(checked(credential.at))}"` : `credential="${html(credential.whole)}"`;
  const script = html(`${checked(host).replace(/\/+$/, '')}/embed/testamur-verify.js`);
  return `<script type="module" src="${script}"></script>\n<testamur-verify ${attribute} lang="${html(lang)}"></testamur-verify>\n`;
}
