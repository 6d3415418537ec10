/* How the box is: asked for every half minute while somebody looks. */
import { effect, signal } from '@preact/signals';
import * as api from './api';
import type { Status } from './api';
import { session } from './session';

const EVERY_MS = 30000;

export const status = signal<Status | null>(null);

export async function refreshStatus(): Promise<void> {
  try {
    status.value = await api.get<Status>('/status');
  } catch {
    /* The link's state tells of a box that is gone. */
    status.value = null;
  }
}

let timer: ReturnType<typeof setInterval> | undefined;

effect(() => {
  clearInterval(timer);
  if (!session.value?.authenticated) {
    status.value = null;
    return;
  }
  void refreshStatus();
  timer = setInterval(() => {
    if (document.visibilityState === 'visible') void refreshStatus();
  }, EVERY_MS);
});
