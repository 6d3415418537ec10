/*
 * Switching an output. A command is pending until the board published the
 * wished state, refused it, or said nothing for too long. It never changes
 * the state that is shown.
 */
import { signal } from '@preact/signals';
import { LinkError } from '../mqtt/client';
import { onOff, onResult, things } from './board';
import type { Thing } from './board';
import { thingKey } from './board';
import { link } from './link';

export type CommandError =
  | { kind: 'refused'; reason: string }
  | { kind: 'forbidden'; reason: string }
  | { kind: 'silent' }
  | { kind: 'offline' };

const SILENT_MS = 5000;
const encoder = new TextEncoder();

/* The keys of things with a command under way, and what was asked. */
export const pending = signal<ReadonlyMap<string, string>>(new Map());

function setPending(key: string, wish: string | null): void {
  const next = new Map(pending.value);
  if (wish === null) next.delete(key);
  else next.set(key, wish);
  pending.value = next;
}

/* Is it so? answered: the board said that the command was applied. */
type Done = (t: Thing | undefined, answered: boolean) => boolean;

/* Waits until the board says how it went. */
function answer(
  key: string,
  done: Done,
): { settled: Promise<CommandError | null>; cancel: () => void } {
  let cancel = () => {};
  const settled = new Promise<CommandError | null>((resolve) => {
    const finish = (e: CommandError | null) => {
      clearTimeout(timer);
      stopThings();
      stopResults();
      resolve(e);
    };
    const timer = setTimeout(() => finish({ kind: 'silent' }), SILENT_MS);
    const stopResults = onResult((k, r) => {
      if (k !== key) return;
      if (!r.applied) finish({ kind: 'refused', reason: r.reason });
      else if (done(things.value.get(key), true)) finish(null);
    });
    let first = true;
    const stopThings = things.subscribe((all) => {
      if (!first && done(all.get(key), false)) finish(null);
      first = false;
    });
    cancel = () => finish(null);
  });
  return { settled, cancel };
}

async function run(
  thing: Thing,
  payload: string,
  done: Done,
): Promise<CommandError | null> {
  const key = thingKey(thing.node, thing.group, thing.name);
  setPending(key, payload);
  const wait = answer(key, done);
  try {
    const o = await link.publish(`${key}/set`, encoder.encode(payload), 1);
    if (o.reason < 0x80) return await wait.settled;
    return { kind: 'forbidden', reason: o.reasonString };
  } catch (e) {
    if (e instanceof LinkError) return { kind: 'offline' };
    throw e;
  } finally {
    wait.cancel();
    setPending(key, null);
  }
}

/* Asks the board to switch. Null when the board published the wished state. */
export function switchTo(
  thing: Thing,
  wish: 'ON' | 'OFF',
): Promise<CommandError | null> {
  const payload =
    thing.group === 'light' ? JSON.stringify({ state: wish }) : wish;
  return run(thing, payload, (t) => onOff(t) === wish);
}

/* Asks a light for a brightness of 1 to 255. */
export function dimTo(
  thing: Thing,
  level: number,
): Promise<CommandError | null> {
  const payload = JSON.stringify({ state: 'ON', brightness: level });
  return run(thing, payload, (t) => onOff(t) === 'ON');
}

/* Asks a cover to move; to a position in percent, or by a word. */
export function moveTo(
  thing: Thing,
  wish: 'OPEN' | 'CLOSE' | 'STOP' | number,
): Promise<CommandError | null> {
  return run(thing, String(wish), (_, answered) => answered);
}

/* Asks a light for a colour, #rrggbb; its white stays as it is. */
export function paint(
  thing: Thing,
  wish: string,
): Promise<CommandError | null> {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(wish.slice(i, i + 2), 16));
  const before = JSON.parse(thing.state ?? '{}').color ?? {};
  const color = 'w' in before ? { r, g, b, w: before.w } : { r, g, b };
  return run(thing, JSON.stringify({ state: 'ON', color }), (t) =>
    onOff(t) === 'ON',
  );
}
