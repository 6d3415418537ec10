/* From pins and published states to what Home shows, room by room. */
import type { Pin, PinKind } from './api';
import { brightness, thingKey } from './board';
import type { Group, Thing } from './board';
import { groupOfDevice } from './devices';
import type { Device } from './devices';
import { groupOf } from './pins';

export interface Tile {
  key: string;
  node: string;
  group: Group;
  name: string;
  label: string;
  kind: PinKind | 'sensor' | 'cover';
  pin: Pin | null;
  device?: Device;
  thing: Thing | null;
  /* What the board says is wrong with the pin. */
  fault: string | null;
}

export interface Room {
  name: string;
  tiles: Tile[];
}

const KIND_ORDER = [
  'light',
  'cover',
  'relay',
  'switch',
  'button',
  'contact',
  'motion',
  'counter',
  'sensor',
];

const DEFAULT_KIND: Record<Group, PinKind | 'sensor' | 'cover'> = {
  out: 'relay',
  in: 'contact',
  light: 'light',
  sensor: 'sensor',
  cover: 'cover',
};

/* "floor_lamp" is a topic, "Floor lamp" is a lamp. */
export function prettyName(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim() || name;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

type Things = ReadonlyMap<string, Thing>;

/* An output of kind light is published twice, below out/ and below light/.
 * The latter is shown where it can do more. */
function isDimmer(node: string, name: string, things: Things): boolean {
  return brightness(things.get(thingKey(node, 'light', name))) !== null;
}

function isTwin(t: Thing, things: Things): boolean {
  if (t.group === 'light') {
    const other = things.has(thingKey(t.node, 'out', t.name));
    return other && brightness(t) === null;
  }
  return t.group === 'out' && isDimmer(t.node, t.name, things);
}

function fromPin(
  pin: Pin,
  node: string,
  things: Things,
  faults: ReadonlyMap<string, string>,
): Tile {
  const dimmer = pin.kind === 'light' && isDimmer(node, pin.name, things);
  const group = dimmer ? 'light' : groupOf(pin);
  const key = thingKey(node, group, pin.name);
  return {
    key,
    node,
    group,
    name: pin.name,
    label: pin.label || prettyName(pin.name),
    kind: pin.kind,
    pin,
    thing: things.get(key) ?? null,
    fault: faults.get(pin.name) ?? null,
  };
}

function fromThing(key: string, thing: Thing): Tile {
  return {
    key,
    node: thing.node,
    group: thing.group,
    name: thing.name,
    label: prettyName(thing.name),
    kind: DEFAULT_KIND[thing.group],
    pin: null,
    thing,
    fault: null,
  };
}

function fromDevice(
  device: Device,
  node: string,
  things: Things,
  faults: ReadonlyMap<string, string>,
): Tile {
  const group = groupOfDevice(device);
  const key = thingKey(node, group, device.name);
  return {
    key,
    node,
    group,
    name: device.name,
    label: device.label || prettyName(device.name),
    kind: group,
    pin: null,
    device,
    thing: things.get(key) ?? null,
    fault: faults.get(device.name) ?? null,
  };
}

function compare(a: Tile, b: Tile): number {
  const kind = KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind);
  return kind || a.label.localeCompare(b.label);
}

/* What is set up on a board. */
export interface SetUp {
  node: string;
  pins: readonly Pin[];
  errors: readonly { pin: string; message: string }[];
  devices?: readonly Device[];
}

function fromBoard(board: SetUp, things: Things): Tile[] {
  const { node, pins, errors, devices = [] } = board;
  const faults = new Map(errors.map((e) => [e.pin, e.message]));
  return [
    ...pins.map((p) => fromPin(p, node, things, faults)),
    ...devices.map((d) => fromDevice(d, node, things, faults)),
  ];
}

/*
 * Rooms by name; what has none comes last, under the name of its board, where
 * that of node, the own board, is ''.
 */
export function rooms(
  node: string,
  boards: readonly SetUp[],
  things: Things,
): Room[] {
  const tiles = boards.flatMap((b) => fromBoard(b, things));
  const seen = new Set(tiles.map((x) => x.key));
  for (const [key, thing] of things) {
    if (!seen.has(key) && !isTwin(thing, things)) tiles.push(fromThing(key, thing));
  }
  const byRoom = new Map<string, Tile[]>();
  const last = new Map<string, Tile[]>();
  for (const tile of tiles) {
    const room = tile.pin?.room || tile.device?.room || '';
    const into = room ? byRoom : last;
    const name = room || (tile.node === node ? '' : tile.node);
    into.set(name, [...(into.get(name) ?? []), tile]);
  }
  const sorted = (m: Map<string, Tile[]>) =>
    [...m]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, list]) => ({ name, tiles: list.sort(compare) }));
  return [...sorted(byRoom), ...sorted(last)];
}
