/**
 * “Add to profile” on LinkedIn: the link that fills in the form, and the same fields for whoever has to copy them, since the
 * form does not always take what the link says.
 */

/** The page that shows the form. */
const FORM = 'https://www.linkedin.com/profile/add?startTask=CERTIFICATION_NAME';

/** A credential as LinkedIn asks for it under “Licenses & certifications”. */
export interface Entry {
  /** What was achieved. */
  name: string;
  organization: string;
  /** The number of the issuer's page on LinkedIn: with it the entry shows the issuer's logo. */
  organizationId?: number;
  /** When it was issued; nothing where that cannot be told. */
  issued?: Date;
  expires?: Date;
  /** The credential's own id. */
  id: string;
  /** Where it can be seen and verified. */
  link: string;
}

/** A field's label in LinkedIn's English form, and what to put into it. */
export type Field = [label: string, value: string];

/** The link that opens the form with everything in it. */
export function url(entry: Entry): string {
  const { name, organization, organizationId, issued, expires, link, id } = entry;
  const pairs: [string, string | undefined][] = [
    ['name', name],
    organizationId === undefined ? ['organizationName', organization] : ['organizationId', String(organizationId)],
    ...month('issue', issued),
    ...month('expiration', expires),
    ['certUrl', link],
    ['certId', id],
  ];
  return pairs.reduce((url, [name, value]) => (value === undefined ? url : `${url}&${name}=${query(value)}`), FORM);
}

/** The fields in the form's order. */
export function fields({ name, organization, issued, expires, link, id }: Entry): Field[] {
  const all: [string, string | undefined][] = [
    ['Name', name],
    ['Issuing organization', organization],
    ['Issue date', issued && written(issued)],
    ['Expiration date', expires && written(expires)],
    ['Credential ID', id],
    ['Credential URL', link],
  ];
  return all.filter((field): field is Field => field[1] !== undefined);
}

function month(which: string, date: Date | undefined): [string, string | undefined][] {
  return [
    [`${which}Year`, date && String(date.getUTCFullYear())],
    [`${which}Month`, date && String(date.getUTCMonth() + 1)],
  ];
}

/** In the form's language. */
function written(date: Date): string {
  return new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(date);
}

/** A value in a URL's query (RFC 3986: all but the unreserved letters as percent and two digits). */
function query(text: string): string {
  const rest = (letter: string) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(/[!'()*]/g, rest);
}
