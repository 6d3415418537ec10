/* What a node has besides pins, shared by Home (names, rooms, units) and Pins. */
import { signal } from '@preact/signals';
import * as api from './api';

export const DEVICE_KINDS = [
  'ds18b20',
  'iio',
  'cpu_temperature',
  'under_voltage',
  'throttled',
  'cover',
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
  up?: string;
  down?: string;
  up_time?: number;
  down_time?: number;
  end_time?: number;
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
  | 'offset'
  | 'up'
  | 'down'
  | 'up_time'
  | 'down_time'
  | 'end_time';

const MEASURING = ['unit', 'interval', 'delta', 'factor', 'offset'] as const;

/* The fields of each kind, as the server's gpio/device_table.c has them. */
export const FIELDS: Record<DeviceKind, readonly DeviceField[]> = {
  ds18b20: ['source', ...MEASURING],
  iio: ['source', ...MEASURING],
  cpu_temperature: MEASURING,
  under_voltage: ['interval'],
  throttled: ['interval'],
  cover: ['up', 'down', 'up_time', 'down_time', 'end_time'],
};

const USUAL = {
  interval: 60,
  delta: 0,
  factor: 1,
  offset: 0,
  up_time: 0,
  down_time: 0,
  end_time: 2,
} as const;
const TEXTS = ['source', 'unit', 'up', 'down'] as const;

export const isText = (field: DeviceField) =>
  (TEXTS as readonly string[]).includes(field);

/* What the topic of a device is: hearth/<node>/<group>/<name>. */
export const groupOfDevice = (device: Device) =>
  device.kind === 'cover' ? 'cover' : 'sensor';

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
