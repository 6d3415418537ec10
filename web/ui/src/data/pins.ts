/* The pin tables, shared by Home (names, rooms) and Pins. */
import { computed, signal } from '@preact/signals';
import * as api from './api';
import type { Line, Pin, Pins } from './api';
import { chosen, ofBoard } from './nodes';

/* By the key of their board. */
export const allPins = signal<ReadonlyMap<string, Pins>>(new Map());
/* Of the chosen one. */
export const pins = computed(() => allPins.value.get(chosen.value) ?? null);

/* Throws ApiError; what was known before stays. */
export async function loadPins(key = chosen.value): Promise<Pins> {
  const p = await api.get<Pins>(ofBoard('/pins', key));
  allPins.value = new Map(allPins.value).set(key, p);
  return p;
}

/* What the topic of a pin is: hearth/<node>/<group>/<name>. */
export const groupOf = (pin: Pin) => (pin.dir === 'out' ? 'out' : 'in');

/* The electrical level that makes an input read as on or off. */
export const levelFor = (pin: Pin, on: boolean): 0 | 1 =>
  on !== pin.active_low ? 1 : 0;

/* What is reported of the line of a pin. */
export function lineOf(pin: Pin, data: Pins): Line | undefined {
  const lines = pin.chip
    ? data.chips.find((c) => c.label === pin.chip)?.lines
    : data.lines;
  return lines?.find((l) => l.line === pin.line);
}

/* "17" of the header, "pcf8574:1" of another chip; and back. */
export const lineKey = (chip: string | null, line: number) =>
  chip ? `${chip}:${line}` : String(line);

export function lineFromKey(key: string): Pick<Pin, 'chip' | 'line'> {
  const at = key.lastIndexOf(':');
  return { chip: key.slice(0, Math.max(at, 0)) || null, line: Number(key.slice(at + 1)) };
}
