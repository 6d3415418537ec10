/*
 * What the boards of the house published: the state of each output, input,
 * light and sensor. The state shown anywhere is the one kept here, and only
 * a message of the board changes it.
 */
import { computed, signal } from '@preact/signals';
import type { Message } from '../mqtt/client';
import { link, linkState } from './link';

export type Group = 'out' | 'in' | 'light' | 'sensor' | 'cover';

export interface Thing {
  node: string;
  group: Group;
  name: string;
  /* The retained state as published; null when there is none. */
  state: string | null;
  /* When we heard it; retained messages carry no time. */
  heard: number;
  event: { type: string; at: number } | null;
  count: number | null;
  /* Of a cover, in percent: 0 is closed; null: not known. */
  position: number | null;
}

/* A command's answer, as hearth/<node>/out/<name>/result carries it. */
export interface Result {
  applied: boolean;
  reason: string;
}

/* A house has tens of them; the cap keeps a broken device from eating the
 * memory of a phone. */
const MAX_THINGS = 500;
const GROUPS = ['out', 'in', 'light', 'sensor', 'cover'];
const decoder = new TextDecoder();

export const things = signal<ReadonlyMap<string, Thing>>(new Map());
export const boards = signal<ReadonlyMap<string, 'online' | 'offline'>>(
  new Map(),
);
/* False until the retained states had time to arrive. */
export const settled = signal(false);

type ResultListener = (key: string, result: Result) => void;
const resultListeners = new Set<ResultListener>();

export function onResult(f: ResultListener): () => void {
  resultListeners.add(f);
  return () => void resultListeners.delete(f);
}

export const thingKey = (node: string, group: Group, name: string) =>
  `hearth/${node}/${group}/${name}`;

export const anyOffline = computed(() =>
  [...boards.value].filter(([, s]) => s === 'offline').map(([n]) => n),
);

/* Pending changes, given to the signals once per frame: a burst of hundreds
 * of messages must not redraw hundreds of times. */
let nextThings: Map<string, Thing> | null = null;
let nextBoards: Map<string, 'online' | 'offline'> | null = null;
let scheduled = false;

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  /* A timer, not a frame: a page in the background gets no frames. */
  setTimeout(flush, 16);
}

export function flush(): void {
  scheduled = false;
  if (nextThings !== null) things.value = nextThings;
  if (nextBoards !== null) boards.value = nextBoards;
  nextThings = null;
  nextBoards = null;
}

function change(
  node: string,
  group: Group,
  name: string,
  f: (t: Thing) => Thing | null,
): void {
  const key = thingKey(node, group, name);
  nextThings ??= new Map(things.value);
  const before = nextThings.get(key);
  if (before === undefined && nextThings.size >= MAX_THINGS) return;
  const after = f(
    before ?? {
      node,
      group,
      name,
      state: null,
      heard: 0,
      event: null,
      count: null,
      position: null,
    },
  );
  if (after === null) nextThings.delete(key);
  else nextThings.set(key, after);
  schedule();
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const v: unknown = JSON.parse(text);
    return typeof v === 'object' && v !== null
      ? (v as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function onStatus(node: string, text: string): void {
  nextBoards ??= new Map(boards.value);
  if (text === 'online' || text === 'offline') nextBoards.set(node, text);
  else nextBoards.delete(node);
  schedule();
}

function tellResult(key: string, text: string): void {
  const o = parseObject(text);
  if (typeof o.applied !== 'boolean') return;
  const reason = typeof o.reason === 'string' ? o.reason : '';
  flush();
  for (const f of resultListeners) f(key, { applied: o.applied, reason });
}

/* Takes in one message below hearth/. Unknown topics are none of ours. */
export function onBoardMessage(m: Message, now = Date.now()): void {
  const [, node, group, name, leaf, ...more] = m.topic.split('/');
  if (!node || more.length > 0) return;
  const text = decoder.decode(m.payload);
  if (group === 'status' && name === undefined) {
    onStatus(node, text);
    return;
  }
  if (!group || !name || !GROUPS.includes(group)) return;
  const g = group as Group;
  if (leaf === undefined) {
    change(node, g, name, (t) =>
      m.payload.length === 0 ? null : { ...t, state: text, heard: now },
    );
  } else if (leaf === 'result') {
    tellResult(thingKey(node, g, name), text);
  } else if (leaf === 'event' && g === 'in' && !m.retain) {
    const type = parseObject(text).event_type;
    /* The end of a press is no news after its beginning. */
    if (typeof type !== 'string' || type === 'release' || type === 'hold') return;
    change(node, g, name, (t) => ({ ...t, event: { type, at: now } }));
  } else if (leaf === 'count' && g === 'in') {
    const count = Number(text);
    if (!Number.isFinite(count)) return;
    change(node, g, name, (t) => ({ ...t, count }));
  } else if (leaf === 'position' && g === 'cover') {
    const position = text === '' ? null : Number(text);
    if (Number.isNaN(position)) return;
    /* Taken away with the cover itself, or before its state. */
    change(node, g, name, (t) =>
      t.state === null && position === null ? null : { ...t, position },
    );
  }
}

/* After a reconnect the broker sends every retained state anew. What has not
 * come within this time is gone. */
const SETTLE_MS = 1500;
let settleTimer: ReturnType<typeof setTimeout> | undefined;

function startSettling(since: number): void {
  clearTimeout(settleTimer);
  settleTimer = setTimeout(() => {
    flush();
    const kept = [...things.value].filter(([, t]) => t.heard >= since);
    if (kept.length !== things.value.size) things.value = new Map(kept);
    settled.value = true;
  }, SETTLE_MS);
}

/* Follows the boards for as long as the page lives. */
export function followBoards(): void {
  link.subscribe('hearth/+/#', (m) => onBoardMessage(m));
  linkState.subscribe((s) => {
    if (s === 'online') startSettling(Date.now());
  });
}

/* Another person logged in: what the one before could see is forgotten. */
export function forgetBoards(): void {
  clearTimeout(settleTimer);
  nextThings = nextBoards = null;
  things.value = new Map();
  boards.value = new Map();
  settled.value = false;
}

/* "ON", "OFF" or null, for outputs, inputs and JSON lights alike. */
export function onOff(t: Thing | undefined): 'ON' | 'OFF' | null {
  if (!t || t.state === null) return null;
  const s = t.state.startsWith('{') ? parseObject(t.state).state : t.state;
  return s === 'ON' || s === 'OFF' ? s : null;
}

/* A light's colour as #rrggbb, for those that have one. */
export function color(t: Thing | undefined): string | null {
  if (!t?.state?.startsWith('{')) return null;
  const c = parseObject(t.state).color as Record<string, unknown> | undefined;
  const parts = [c?.r, c?.g, c?.b];
  if (!parts.every((x) => Number.isInteger(x))) return null;
  const hex = (x: unknown) => Number(x).toString(16).padStart(2, '0');
  return `#${parts.map(hex).join('')}`;
}

export function brightness(t: Thing | undefined): number | null {
  if (!t?.state?.startsWith('{')) return null;
  const b = parseObject(t.state).brightness;
  return typeof b === 'number' && b >= 0 && b <= 255 ? b : null;
}
