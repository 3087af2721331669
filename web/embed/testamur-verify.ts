/**
 * `<testamur-verify>`: a credential's verdict in any page, with a link to the whole verification.
 *
 *     <script type="module" src="https://verify.example/embed/testamur-verify.js"></script>
 *     <testamur-verify src="diploma.json"></testamur-verify>
 *
 * Attributes: `src` (a URL from which the credential is fetched, or a link to a share page, whose sealed content is opened
 * here) or `credential` (its text); `rpc` (endpoints, separated
 * by spaces) in place of those that this module's host names; `lang`. Event: `verdict`, with the result in `detail`.
 * Whoever owns the page can show anything on it: the link leads to this module's host, where nobody else does.
 */

import style from './style.css?inline';
import { told } from '../src/credential';
import { type Child, h, replace } from '../src/dom';
import { inLanguage } from '../src/i18n';
import { VERDICTS, sign } from '../src/sign';
import { parse } from '../share/address';
import { open } from '../share/sealed';
import { type Result, verifier } from '../src/verifier';
import { defaults, options, site } from '../verify/settings';
import { why } from '../verify/tell';
import { t } from '../verify/words';

const HERE = import.meta.url; // in a variable: bundlers would look for the files
const PAGE = new URL('../verify/', HERE);

class TestamurVerify extends HTMLElement {
  static readonly observedAttributes = ['src', 'credential', 'rpc', 'lang'];
  readonly #root = this.attachShadow({ mode: 'open' });
  /** What is under way; another attribute ends it. */
  #current = new AbortController();

  connectedCallback(): void {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    this.#root.adoptedStyleSheets = [sheet];
    void this.#verify();
  }

  disconnectedCallback(): void {
    this.#current.abort();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) void this.#verify();
  }

  async #verify(): Promise<void> {
    this.#current.abort();
    const { signal } = (this.#current = new AbortController());
    await Promise.resolve(); // further attributes may follow at once
    if (signal.aborted) return;
    this.#show('p', '', 'none', () => [h('span', {}, t('embed-verifying'))]);
    try {
      const bytes = await this.#bytes(signal);
      const loaded = await verifier();
      const settings = defaults(await loaded.defaultPolicy(), await site(new URL('config.json', PAGE).href));
      const rpc = this.getAttribute('rpc')?.split(/\s+/).filter(Boolean);
      const result = await loaded.verify(bytes, { ...options({ ...settings, ...(rpc && { endpoints: rpc }) }), name: this.getAttribute('src') ?? 'credential.json', signal });
      this.#tell(result, `${PAGE.href}#${await loaded.toFragment(bytes)}`);
    } catch {
      if (!signal.aborted) this.#show('p', '', 'unsure', () => [h('strong', {}, t('unverifiable')), h('span', { class: 'why' }, t('embed-failed'))]);
    }
  }

  async #bytes(signal: AbortSignal): Promise<Uint8Array> {
    const text = this.getAttribute('credential');
    if (text !== null) return new TextEncoder().encode(text);
    const url = new URL(this.getAttribute('src') ?? '', document.baseURI);
    const shared = parse(url.href);
    if (typeof shared === 'string' || shared.kind !== 'c') return get(url, signal);
    const sealed = await get(new URL(`/v1/pages/${shared.id}/sealed`, url), signal);
    return new TextEncoder().encode(await open(sealed, shared));
  }

  #tell(result: Result, link: string): void {
    const credential = result.opened?.credential;
    const shown = credential ? told(credential) : undefined;
    this.#show('a', link, VERDICTS[result.verdict], () => [
      h('strong', {}, t(result.verdict)),
      shown && h('span', {}, [shown.title, shown.issuer.name ?? shown.issuer.id].filter(Boolean).join(' · ')),
      h('span', { class: 'why' }, why(result)),
      h('span', { class: 'open' }, t('embed-open')),
    ]);
    this.dispatchEvent(new CustomEvent('verdict', { detail: result, bubbles: true, composed: true }));
  }

  #show(name: 'a' | 'p', href: string, kind: Parameters<typeof sign>[0], content: () => Child[]): void {
    const tag = this.lang || document.documentElement.lang;
    const inside = inLanguage(tag, () => h('span', {}, ...content()));
    const attributes = name === 'a' ? { href, target: '_blank', rel: 'noopener' } : { role: 'status' };
    replace(this.#root as unknown as Element, h(name, { class: kind, ...attributes }, sign(kind), inside));
  }
}

async function get(url: URL, signal: AbortSignal): Promise<Uint8Array> {
  const answer = await fetch(url, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' });
  if (!answer.ok) throw new Error(`HTTP status ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

customElements.define('testamur-verify', TestamurVerify);
