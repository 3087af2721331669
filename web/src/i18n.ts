/** Words in the visitor's language, and how that language writes numbers, dates and spans of time. */

export const LANGUAGES = { en: 'English', es: 'Español' } as const;
export type Language = keyof typeof LANGUAGES;

/** A text with `{places}`, or one for each plural form (of the parameter `count`). */
type Entry = string | { one: string; other: string };
type Parameters = Record<string, string | number>;
export type Translate<K extends string> = (key: K, parameters?: Parameters) => string;

/** Where a choice is kept on this device. */
const CHOSEN = 'testamur-language';

/** What was chosen on this device, or else what the browser asks for. */
export let language: Language = choose();

let redraw: (() => void) | undefined;

/** For a page that shows what a reload would lose: draws itself anew in another language. */
export function whenSpoken(draw: () => void): void {
  redraw = draw;
}

/** Remembers a choice, and shows the page in it. */
export function speak(wanted: Language): void {
  const kept = keep(wanted);
  if (redraw) {
    language = wanted;
    redraw();
    return;
  }
  if (!kept) {
    // Storage may be forbidden: then the address carries it.
    location.search = `?lang=${wanted}`;
    return;
  }
  const address = new URL(location.href);
  address.searchParams.delete('lang');
  if (address.href === location.href) location.reload();
  else location.replace(address);
}

/** Tells something in another language than the page's. */
export function inLanguage<T>(tag: string, tell: () => T): T {
  const before = language;
  const wanted = tag.slice(0, 2).toLowerCase();
  if (wanted in LANGUAGES) language = wanted as Language;
  try {
    return tell();
  } finally {
    language = before;
  }
}

/** Looks words up. Every language has the same keys: the compiler sees to it. */
export function translator<K extends string>(dictionaries: Record<Language, Record<K, Entry>>): Translate<K> {
  return (key, parameters = {}) => {
    const entry = dictionaries[language][key];
    const form = new Intl.PluralRules(language).select(Number(parameters['count'])) === 'one' ? 'one' : 'other';
    const text = typeof entry === 'string' ? entry : entry[form];
    return text.replace(/\{(\w+)\}/g, (place, name: string) => {
      const value = parameters[name];
      return value === undefined ? place : typeof value === 'number' ? number(value) : value;
    });
  };
}

/** A count, or a measure with at most so many digits behind the point. */
export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** 12,300 as “12.3K”: for axes. */
export function compact(value: number): string {
  return new Intl.NumberFormat(locale(), { notation: 'compact', maximumSignificantDigits: 3 }).format(value);
}

/** A moment, in the visitor's time zone. */
export function moment(at: Date): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }).format(at);
}

/** The time of a moment. */
export function clock(at: Date): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }).format(at);
}

/** A day of the calendar in UTC. */
export function day(at: Date, style: 'short' | 'long' = 'long'): string {
  const parts = { day: 'numeric', month: 'short', timeZone: 'UTC' } as const;
  const year = style === 'long' ? ({ year: 'numeric' } as const) : {};
  return new Intl.DateTimeFormat(locale(), { ...parts, ...year }).format(at);
}

/** How long something took, in the unit that suits it. */
export function span(seconds: number): string {
  const [unit, size] =
    seconds < 120 ? (['second', 1] as const) : seconds < 7200 ? (['minute', 60] as const) : (['hour', 3600] as const);
  const style = { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(locale(), style).format(seconds / size);
}

/** The language with the visitor's region, where the browser names one: it writes dates in its own way. */
function locale(): string {
  return navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? language;
}

function choose(): Language {
  const asked = new URLSearchParams(location.search).get('lang');
  const wanted = [asked, stored(), ...navigator.languages].map((tag) => tag?.slice(0, 2).toLowerCase());
  return (wanted.find((tag) => tag !== undefined && tag in LANGUAGES) as Language | undefined) ?? 'en';
}

/** Whether a choice could be kept. */
function keep(wanted: Language): boolean {
  try {
    localStorage.setItem(CHOSEN, wanted);
    return true;
  } catch {
    return false;
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
}
