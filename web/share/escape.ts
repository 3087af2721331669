/** Texts of others inside HTML that is copied elsewhere. */

/** A link that leads into no web: only `https` and `http` links are shared. */
export class NoWebLink extends Error {}

/** A text in HTML, between tags or in a quoted attribute. */
export function html(text: string): string {
  const marks: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (mark) => marks[mark] ?? mark);
}

/** Whether a link may stand in a page or a message: nothing that a browser would run. */
export function isWeb(link: string): boolean {
  return /^https?:\/\/[^\s\p{Cc}]+$/u.test(link);
}

export function checked(link: string): string {
  if (!isWeb(link)) throw new NoWebLink(link);
  return link;
}
