/* What a node has besides pins, shared by Home (names, rooms, units) and Pins. */
import { signal } from '@preact/signals';
import * as api from './api';

export const DEVICE_KINDS = [
  'ds18b20',
  'iio',
  'cpu_temperature',
  'under_voltage',
  'throttled',
] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/* As /devices has it; which of the fields are there follows from the kind. */
export interface Device {
  name: string;
  kind: DeviceKind;
  label: string;
  room: string;
  source?: string;
  unit?: string;
  interval?: number;
  delta?: number;
  factor?: number;
  offset?: number;
  /* The unit of its values, also where none is set. */
  measured_in?: string;
}

export interface Source {
  kind: DeviceKind;
  source: string;
}

export interface Devices {
  devices: Device[];
  sources: Source[];
}

export const devices = signal<Devices | null>(null);

/* Throws ApiError; what was known before stays. */
export async function loadDevices(): Promise<Devices> {
  const d = await api.get<Devices>('/devices');
  devices.value = d;
  return d;
}

/* A field of a device that is a text or a number in its form. */
export type DeviceField =
  | 'source'
  | 'unit'
  | 'interval'
  | 'delta'
  | 'factor'
  | 'offset';

const MEASURING = ['unit', 'interval', 'delta', 'factor', 'offset'] as const;

/* The fields of each kind, as the server's gpio/device_table.c has them. */
export const FIELDS: Record<DeviceKind, readonly DeviceField[]> = {
  ds18b20: ['source', ...MEASURING],
  iio: ['source', ...MEASURING],
  cpu_temperature: MEASURING,
  under_voltage: ['interval'],
  throttled: ['interval'],
};

const USUAL = { interval: 60, delta: 0, factor: 1, offset: 0 } as const;
const TEXTS = ['source', 'unit'] as const;

export const isText = (field: DeviceField) =>
  (TEXTS as readonly string[]).includes(field);

/* A device as the server has it when nothing is said of it. */
export function withKind(device: Device, kind: DeviceKind): Device {
  const { name, label, room } = device;
  const rest = FIELDS[kind].map((f) => [
    f,
    isText(f) ? '' : USUAL[f as keyof typeof USUAL],
  ]);
  return { name, kind, label, room, ...Object.fromEntries(rest) };
}

export const newDevice = (): Device =>
  withKind({ name: '', kind: 'ds18b20', label: '', room: '' }, 'ds18b20');
