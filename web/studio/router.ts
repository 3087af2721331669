/** Which view is shown: it stands behind the `#` of the address, so that no name that is looked for is sent with it. */

/** A view's place: `#/credentials/urn:uuid:…?state=good`. */
export interface Place {
  path: string[];
  query: URLSearchParams;
}

export function here(): Place {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

/** The link to a view. */
export function to(path: string[], parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '')).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${query && `?${query}`}`;
}

export function go(link: string): void {
  if (location.hash === link) dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = link;
}

/** Notes in the address what a view shows, without opening it anew. */
export function note(link: string): void {
  history.replaceState(null, '', link);
  shown = link;
}

let shown = '';

/** Calls `show` now and for each other place. The link that skips to the content is none. */
export function follow(show: (place: Place, first: boolean) => void): void {
  const next = (first: boolean) => {
    if (location.hash !== '' && !location.hash.startsWith('#/')) return history.replaceState(null, '', shown || '#/');
    shown = location.hash;
    show(here(), first);
  };
  addEventListener('hashchange', () => next(false));
  next(true);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
