/* What a node has besides pins, shared by Home (names, rooms, units) and Pins. */
import { computed, signal } from '@preact/signals';
import * as api from './api';
import { chosen, ofBoard } from './nodes';

export const DEVICE_KINDS = [
  'ds18b20',
  'iio',
  'cpu_temperature',
  'under_voltage',
  'throttled',
  'cover',
  'light',
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
  outputs?: string;
  frequency?: number;
  inverted?: boolean;
  gamma?: number;
  transition?: number;
  safe?: 'off' | 'on' | 'hold';
  boot?: 'as_read' | 'off' | 'on';
  locked?: boolean;
  max_on?: number;
  auto_off?: number;
  command_timeout?: number;
  failsafe?: number;
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

/* By the key of their board. */
export const allDevices = signal<ReadonlyMap<string, Devices>>(new Map());
/* Of the chosen one. */
export const devices = computed(() => allDevices.value.get(chosen.value) ?? null);

/* Throws ApiError; what was known before stays. */
export async function loadDevices(key = chosen.value): Promise<Devices> {
  const d = await api.get<Devices>(ofBoard('/devices', key));
  allDevices.value = new Map(allDevices.value).set(key, d);
  return d;
}

/* A field of a device in its form. */
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
  | 'end_time'
  | 'outputs'
  | 'frequency'
  | 'inverted'
  | 'gamma'
  | 'transition'
  | 'safe'
  | 'boot'
  | 'locked'
  | 'max_on'
  | 'auto_off'
  | 'command_timeout'
  | 'failsafe';

const MEASURING = ['unit', 'interval', 'delta', 'factor', 'offset'] as const;

/* The fields of each kind, as the server's gpio/device_table.c has them. */
export const FIELDS: Record<DeviceKind, readonly DeviceField[]> = {
  ds18b20: ['source', ...MEASURING],
  iio: ['source', ...MEASURING],
  cpu_temperature: MEASURING,
  under_voltage: ['interval'],
  throttled: ['interval'],
  cover: ['up', 'down', 'up_time', 'down_time', 'end_time'],
  light: [
    'outputs',
    'transition',
    'gamma',
    'frequency',
    'safe',
    'boot',
    'max_on',
    'auto_off',
    'command_timeout',
    'failsafe',
    'inverted',
    'locked',
  ],
};

const USUAL = {
  interval: 60,
  delta: 0,
  factor: 1,
  offset: 0,
  up_time: 0,
  down_time: 0,
  end_time: 2,
  frequency: 1000,
  inverted: false,
  gamma: 2.2,
  transition: 0,
  safe: 'off',
  boot: 'as_read',
  locked: false,
  max_on: 0,
  auto_off: 0,
  command_timeout: 0,
  failsafe: 0,
} as const;
const TEXTS = ['source', 'unit', 'up', 'down', 'outputs'] as const;

/* Fields that are one of some words, and those that are yes or no. */
export const CHOICES = {
  safe: ['off', 'on', 'hold'],
  boot: ['as_read', 'off', 'on'],
} as const;
export const CHECKS: readonly DeviceField[] = ['inverted', 'locked'];

export const isText = (field: DeviceField) =>
  (TEXTS as readonly string[]).includes(field);

/* What the topic of a device is: hearth/<node>/<group>/<name>. */
export const groupOfDevice = (device: Device) =>
  device.kind === 'cover' || device.kind === 'light' ? device.kind : 'sensor';

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
