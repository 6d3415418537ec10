/* The pin table, shared by Home (names, rooms) and Pins. */
import { signal } from '@preact/signals';
import * as api from './api';
import type { Pin, Pins } from './api';

export const pins = signal<Pins | null>(null);

/* Throws ApiError; what was known before stays. */
export async function loadPins(): Promise<Pins> {
  const p = await api.get<Pins>('/pins');
  pins.value = p;
  return p;
}

/* What the topic of a pin is: hearth/<node>/<group>/<name>. */
export const groupOf = (pin: Pin) => (pin.dir === 'out' ? 'out' : 'in');

/* The electrical level that makes an input read as on or off. */
export const levelFor = (pin: Pin, on: boolean): 0 | 1 =>
  on !== pin.active_low ? 1 : 0;
