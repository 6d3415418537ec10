/* Who we are to the box, and the live link that follows from it. */
import { signal } from '@preact/signals';
import * as api from './api';
import type { Session } from './api';
import { forgetBoards } from './board';
import { link, whenRefused } from './link';

/* undefined: not asked yet; null: the box cannot be reached. */
export const session = signal<Session | null | undefined>(undefined);

/* Asks again. Logged in or out elsewhere shows at once. */
export async function refreshSession(): Promise<void> {
  try {
    adopt(await api.get<Session>('/session'));
  } catch {
    if (!session.value) session.value = null;
  }
}

/* Takes over what claim, login or session answered. */
export function adopt(s: Session): void {
  api.useCsrf(s.csrf);
  const before = session.value;
  session.value = s;
  if (!s.authenticated || before?.user !== s.user) {
    link.stop();
    forgetBoards();
  }
  if (s.authenticated) link.start();
}

export async function logout(): Promise<void> {
  await api.post('/logout');
  link.stop();
  await refreshSession();
}

api.whenUnauthorized(() => {
  if (session.value?.authenticated) void refreshSession();
});

whenRefused(() => void refreshSession());
