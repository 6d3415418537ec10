/* Texts. English is always there; others are fetched when chosen. */
import { effect, signal } from '@preact/signals';
import { en } from './en';
import type { Dictionary, Key } from './en';

export type { Key } from './en';
export type Language = 'en' | 'zh';

/* Each in its own language, for the one who cannot read the present one. */
export const languages: readonly (readonly [Language, string])[] = [
  ['en', 'English'],
  ['zh', '中文'],
];

const STORED = 'hearth.language';

export const language = signal<Language>('en');
const dictionary = signal<Dictionary>(en);

function preferred(): Language {
  const chosen = localStorage.getItem(STORED);
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return navigator.language.startsWith('zh') ? 'zh' : 'en';
}

async function load(l: Language): Promise<void> {
  dictionary.value = l === 'zh' ? (await import('./zh')).zh : en;
  language.value = l;
}

export async function setLanguage(l: Language): Promise<void> {
  localStorage.setItem(STORED, l);
  await load(l);
}

/* Before the first drawing, so that nothing flickers. */
export async function startLanguage(): Promise<void> {
  effect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  });
  /* Without its dictionary the page still works, in English. */
  await load(preferred()).catch(() => {});
}

/* The text of a key with its {parameters} filled in. */
export function t(key: Key, params: Record<string, string | number> = {}) {
  return dictionary.value[key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in params ? String(params[name]) : whole,
  );
}

/* A text that depends on a number: the key for one and the one for others. */
export function plural(one: Key, other: Key, n: number): string {
  const rule = new Intl.PluralRules(language.value).select(n);
  return t(rule === 'one' ? one : other, { n: number(n) });
}

/* The reader's own region where it speaks the chosen language: 24 hours in
 * Britain, AM and PM in America. */
function locale(): string {
  const own = navigator.language;
  return own.split('-')[0] === language.value ? own : language.value;
}

export function number(n: number): string {
  return new Intl.NumberFormat(locale()).format(n);
}

export function dateTime(ms: number): string {
  return new Intl.DateTimeFormat(locale(), {
    dateStyle: 'medium',
    timeStyle: 'medium',
  }).format(ms);
}

export function bytes(n: number): string {
  const mb = n / (1 << 20);
  return mb < 1
    ? `${number(Math.round(n / 1024))} KiB`
    : `${number(Math.round(mb * 10) / 10)} MiB`;
}

const UNITS = [
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/* "5 minutes ago". */
export function ago(ms: number, now = Date.now()): string {
  const format = new Intl.RelativeTimeFormat(language.value, {
    numeric: 'auto',
  });
  const s = Math.max(0, Math.round((now - ms) / 1000));
  for (const [unit, size] of UNITS) {
    if (s >= size) return format.format(-Math.floor(s / size), unit);
  }
  return format.format(-s, 'second');
}

/* "3 days 4 hours", the two largest parts. */
export function duration(seconds: number): string {
  let rest = Math.floor(seconds);
  const parts: string[] = [];
  for (const [unit, size] of [...UNITS, ['second', 1] as const]) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n === 0 || parts.length === 2) continue;
    const options = { style: 'unit', unit, unitDisplay: 'long' } as const;
    parts.push(new Intl.NumberFormat(language.value, options).format(n));
  }
  return parts.join(' ') || '0';
}
