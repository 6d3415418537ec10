/* Light, dark, or as the system says. */
import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const STORED = 'hearth.theme';

function stored(): Theme {
  const s = localStorage.getItem(STORED);
  return s === 'light' || s === 'dark' ? s : 'auto';
}

export const theme = signal<Theme>(stored());

export function setTheme(value: Theme): void {
  localStorage.setItem(STORED, value);
  theme.value = value;
}

export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}
