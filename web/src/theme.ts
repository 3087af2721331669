/** Light or dark: as the device asks, until the visitor chooses. */

import { h } from './dom';
import { translator } from './i18n';
import en from './words/en.json';
import es from './words/es.json';

const t = translator({ en, es });

/** Where a choice is kept on this device. */
const CHOSEN = 'testamur-theme';
const root = document.documentElement;

show(stored());

/** A switch that is on where the page is dark. */
export function themeSwitch(): HTMLElement {
  const button = h('button', { type: 'button', 'aria-pressed': String(dark()), onclick: flip }, t('dark'));
  return button;

  function flip() {
    const wanted = dark() ? 'light' : 'dark';
    show(wanted);
    button.setAttribute('aria-pressed', String(dark()));
    try {
      localStorage.setItem(CHOSEN, wanted);
    } catch {
      // Storage may be forbidden: then it lasts as long as the page.
    }
  }
}

function dark(): boolean {
  return (root.dataset['theme'] ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
}

function show(theme: string | null): void {
  if (theme === 'light' || theme === 'dark') root.dataset['theme'] = theme;
}

function stored(): string | null {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
}
