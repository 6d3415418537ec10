/* The one MQTT connection of this page. */
import { signal } from '@preact/signals';
import { MqttClient } from '../mqtt/client';
import type { LinkState, Socket } from '../mqtt/client';

export const linkState = signal<LinkState>('offline');
/* Why the last attempt failed, as an MQTT reason code; 0: no answer. */
export const linkReason = signal(0);

function randomId(): string {
  const b = crypto.getRandomValues(new Uint8Array(6));
  return 'web-' + [...b].map((x) => x.toString(16).padStart(2, '0')).join('');
}

function url(): string {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}/mqtt`;
}

let askSession: () => void = () => {};

/* Set by the session: called when an attempt to connect failed. */
export function whenRefused(f: () => void): void {
  askSession = f;
}

export const link = new MqttClient({
  clientId: randomId(),
  open: () => new WebSocket(url(), 'mqtt') as unknown as Socket,
  onState: (s) => {
    linkState.value = s;
  },
  onRefused: (reason) => {
    linkReason.value = reason;
    askSession();
  },
});

addEventListener('online', () => link.nudge());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') link.nudge();
});
/* Tell the broker we go, so that no ghost stays in its list of clients. */
addEventListener('pagehide', () => link.stop());
addEventListener('pageshow', (e) => {
  if (e.persisted) link.start();
});
