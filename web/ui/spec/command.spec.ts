import './globals';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as board from '../src/data/board';
import { pending, switchTo } from '../src/data/command';
import type { CommandError } from '../src/data/command';
import { link } from '../src/data/link';
import { LinkError } from '../src/mqtt/client';
import type { Outcome } from '../src/mqtt/client';
import { Clock } from './clock';

const KEY = 'hearth/pi/out/lamp';

function say(topic: string, text: string, retain = true): void {
  board.onBoardMessage({
    topic,
    payload: new TextEncoder().encode(text),
    qos: 1,
    retain,
  });
  board.flush();
}

interface Scene {
  clock: Clock;
  published: [string, string][];
  /* Presses the switch; the outcome is what the user is told. */
  press: () => Promise<CommandError | null>;
}

function scene(
  name: string,
  publish: () => Promise<Outcome>,
  f: (s: Scene) => Promise<void>,
): void {
  test(name, async () => {
    const clock = new Clock();
    const published: [string, string][] = [];
    link.publish = (topic, payload) => {
      published.push([topic, new TextDecoder().decode(payload)]);
      return publish();
    };
    board.forgetBoards();
    say(KEY, 'OFF');
    const press = () => switchTo(board.things.value.get(KEY)!, 'ON');
    try {
      await f({ clock, published, press });
      assert.equal(pending.value.size, 0, 'nothing stays pending');
    } finally {
      clock.restore();
    }
  });
}

const taken = () => Promise.resolve({ reason: 0, reasonString: '' });
const state = () => board.onOff(board.things.value.get(KEY));
const turn = () => new Promise((r) => setImmediate(r));

scene('a switch waits until the board publishes its state', taken, async (s) => {
  const told = s.press();
  await turn();
  assert.deepEqual(s.published, [[`${KEY}/set`, 'ON']]);
  assert.equal(pending.value.get(KEY), 'ON');
  assert.equal(state(), 'OFF', 'the state is not what was only wished');
  say(KEY, 'ON');
  assert.equal(await told, null);
  assert.equal(state(), 'ON');
});

scene('a refusal of the board is told, the state stays', taken, async (s) => {
  const told = s.press();
  await turn();
  say(`${KEY}/result`, '{"applied":false,"reason":"interlock"}', false);
  assert.deepEqual(await told, { kind: 'refused', reason: 'interlock' });
  assert.equal(state(), 'OFF');
});

scene('applied:true alone does not change what is shown', taken, async (s) => {
  const told = s.press();
  await turn();
  say(`${KEY}/result`, '{"applied":true}', false);
  await turn();
  assert.equal(pending.value.size, 1);
  assert.equal(state(), 'OFF');
  say(KEY, 'ON');
  assert.equal(await told, null);
});

scene('a silent board is told after five seconds', taken, async (s) => {
  const told = s.press();
  await turn();
  s.clock.pass(4999);
  await turn();
  assert.equal(pending.value.size, 1);
  s.clock.pass(1);
  assert.deepEqual(await told, { kind: 'silent' });
  assert.equal(state(), 'OFF');
});

const forbid = () => Promise.resolve({ reason: 0x87, reasonString: 'rule 3' });
scene('a refusal of the broker is told with its reason', forbid, async (s) => {
  assert.deepEqual(await s.press(), { kind: 'forbidden', reason: 'rule 3' });
});

const cut = () => Promise.reject(new LinkError('offline'));
scene('a lost connection is told', cut, async (s) => {
  assert.deepEqual(await s.press(), { kind: 'offline' });
});

scene('results of others leave it waiting', taken, async (s) => {
  const told = s.press();
  await turn();
  say('hearth/pi/out/pump/result', '{"applied":false,"reason":"x"}', false);
  say('hearth/pi/out/pump', 'ON');
  say(`${KEY}/result`, 'not json', false);
  say(`${KEY}/result`, '{"applied":"yes"}', false);
  await turn();
  assert.equal(pending.value.size, 1);
  say(KEY, 'ON');
  assert.equal(await told, null);
});

test('states, events and boards are kept, the rest is ignored', () => {
  const clock = new Clock();
  board.forgetBoards();
  say('hearth/pi/status', 'online');
  say('hearth/pi/in/bell', 'OFF');
  say('hearth/pi/in/bell/event', '{"event_type":"single"}', false);
  say('hearth/pi/light/bed', '{"state":"ON","brightness":128}');
  say('hearth/pi/out/lamp/unknown', 'x');
  say('hearth/pi/out/lamp/too/deep', 'x');
  say('hearth/pi/nothing/lamp', 'ON');
  say('hearth//out/lamp', 'ON');
  assert.deepEqual([...board.things.value.keys()].sort(), [
    'hearth/pi/in/bell',
    'hearth/pi/light/bed',
  ]);
  const bed = board.things.value.get('hearth/pi/light/bed');
  assert.deepEqual([board.onOff(bed), board.brightness(bed)], ['ON', 128]);
  const bell = board.things.value.get('hearth/pi/in/bell');
  assert.equal(bell!.event!.type, 'single');
  assert.equal(board.boards.value.get('pi'), 'online');
  say('hearth/pi/light/bed', '');
  assert.ok(!board.things.value.has('hearth/pi/light/bed'));
  clock.restore();
});

test('a flood of names is cut off', () => {
  const clock = new Clock();
  board.forgetBoards();
  for (let i = 0; i < 600; i++) {
    board.onBoardMessage({
      topic: `hearth/pi/out/o${i}`,
      payload: new TextEncoder().encode('ON'),
      qos: 0,
      retain: true,
    });
  }
  board.flush();
  assert.equal(board.things.value.size, 500);
  clock.restore();
});
