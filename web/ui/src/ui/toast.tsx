/* Short messages that come and go; screen readers speak them. */
import { signal } from '@preact/signals';
import { t } from '../i18n';
import { Icon } from './icon';

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

/* More would cover a phone's screen. */
const MAX_TOASTS = 3;
const SHOWN_MS = 4500;
const SHOWN_BAD_MS = 9000;

const toasts = signal<Toast[]>([]);
let last = 0;

function hide(id: number): void {
  toasts.value = toasts.value.filter((x) => x.id !== id);
}

export function toast(text: string, bad = false): void {
  const id = ++last;
  const others = toasts.value.filter((x) => x.text !== text);
  toasts.value = [...others, { id, text, bad }].slice(-MAX_TOASTS);
  setTimeout(() => hide(id), bad ? SHOWN_BAD_MS : SHOWN_MS);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((x) => (
        <div key={x.id} class={x.bad ? 'toast toast-bad' : 'toast'}>
          <Icon name={x.bad ? 'warning' : 'check'} />
          <span>{x.text}</span>
          <button
            type="button"
            class="icon-button"
            aria-label={t('close')}
            onClick={() => hide(x.id)}
          >
            <Icon name="close" size={16} />
          </button>
        </div>
      ))}
    </div>
  );
}
