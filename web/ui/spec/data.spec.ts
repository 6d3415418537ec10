import './globals';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pin, Sample } from '../src/data/api';
import { flush, onBoardMessage, things as allThings } from '../src/data/board';
import type { Thing } from '../src/data/board';
import { HEADER, headerPin } from '../src/data/header';
import { averageSeries, isSwitch, liveSample, notFetched, series } from '../src/data/history';
import * as payload from '../src/data/payload';
import { levelFor } from '../src/data/pins';
import { prettyName, rooms } from '../src/data/tiles';
import { MAX_TOPICS, TopicTree, visibleRows } from '../src/data/topic-tree';
import { en } from '../src/i18n/en';
import { zh } from '../src/i18n/zh';
import { matches, topicProblem } from '../src/mqtt/topic';
import { slug } from '../src/pages/name-fields';
import { newPin, pinProblems } from '../src/pages/pin-editor';

const bytes = (s: string) => new TextEncoder().encode(s);
const message = (topic: string, text = 'x', retain = false) => ({
  topic,
  payload: bytes(text),
  qos: 0,
  retain,
});

test('topic filters match as in section 4.7 of the specification', () => {
  const yes = [
    ['sport/tennis/#', 'sport/tennis'],
    ['sport/tennis/#', 'sport/tennis/player1/ranking'],
    ['sport/+', 'sport/'],
    ['+/+', '/finance'],
    ['/+', '/finance'],
    ['#', 'a//b'],
    ['$SYS/#', '$SYS/x'],
    ['$SYS/+', '$SYS/x'],
  ] as const;
  const no = [
    ['sport/+', 'sport'],
    ['+', '/finance'],
    ['sport/+', 'sport/a/b'],
    ['#', '$SYS/x'],
    ['+/x', '$SYS/x'],
    ['a/b', 'a/B'],
    ['a', 'a/b'],
  ] as const;
  for (const [f, t] of yes) assert.ok(matches(f, t), `${f} ${t}`);
  for (const [f, t] of no) assert.ok(!matches(f, t), `${f} ${t}`);
});

test('what cannot be published to is told', () => {
  assert.equal(topicProblem('a/b'), null);
  assert.equal(topicProblem(''), 'topic.empty');
  assert.equal(topicProblem('a/+'), 'topic.wildcard');
  assert.equal(topicProblem('a/#'), 'topic.wildcard');
  assert.equal(topicProblem('a\0'), 'topic.nul');
  assert.equal(topicProblem('ü'.repeat(32768)), 'topic.long');
});

test('the tree counts topics and messages at every level', () => {
  const t = new TopicTree();
  t.add(message('a/b', '1'), 1);
  t.add(message('a/b', '2', true), 2);
  t.add(message('a/c'), 3);
  assert.equal(t.topics, 2);
  assert.equal(t.root.messages, 3);
  const a = t.root.children.get('a')!;
  assert.deepEqual([a.topics, a.messages, a.last], [2, 3, null]);
  const b = t.find('a/b')!;
  assert.ok(b.retained && b.messages === 2 && b.last!.time === 2);
  t.add(message('a/b', '3'), 4);
  assert.ok(b.retained, 'a live message does not clear what is retained');
  t.add(message('a/b', '', true), 5);
  assert.ok(!b.retained, 'an empty retained one does');
});

test('the tree is bounded in topics, levels and bytes', () => {
  const t = new TopicTree();
  for (let i = 0; i < MAX_TOPICS + 10; i++) t.add(message(`t/${i}`), 0);
  assert.equal(t.topics, MAX_TOPICS);
  assert.equal(t.dropped, 10);

  const deep = new TopicTree();
  const name = '/'.repeat(65535);
  deep.add(message(name), 0);
  assert.equal(deep.find(name)!.topic, name);
  let depth = 0;
  for (let n = deep.root; n.children.size; depth++) {
    n = [...n.children.values()][0]!;
  }
  assert.ok(depth <= 32, `${depth} levels`);

  const big = new TopicTree();
  big.add(message('big', 'x'.repeat(100000)), 0);
  const { last } = big.find('big')!;
  assert.deepEqual([last!.payload.length, last!.size], [4096, 100000]);
  assert.equal(last!.payload.buffer.byteLength, 4096, 'the rest is let go');
  big.choose('big');
  big.add(message('big', 'x'.repeat(100000)), 0);
  assert.equal(big.find('big')!.last!.payload.length, 100000);
});

test('rows show what is open, or all that a filter passes', () => {
  const t = new TopicTree();
  for (const n of ['b/x/1', 'b/y', 'a']) t.add(message(n), 0);
  const names = (open: string[], filter = '') =>
    visibleRows(t, new Set(open), filter).map((r) => r.node.topic);
  assert.deepEqual(names([]), ['a', 'b']);
  assert.deepEqual(names(['b']), ['a', 'b', 'b/x', 'b/y']);
  assert.deepEqual(names([], 'X/1'), ['b', 'b/x', 'b/x/1']);
  assert.deepEqual(names([], 'b/+'), ['b', 'b/y']);
  assert.deepEqual(names([], 'nothing'), []);
  const [, second] = visibleRows(t, new Set(), '');
  assert.deepEqual([second!.position, second!.siblings], [2, 2]);
});

test('payloads are shown as what they are', () => {
  assert.equal(payload.bestView(bytes('{"a":1}')), 'json');
  assert.equal(payload.bestView(bytes('12.5')), 'text');
  assert.equal(payload.bestView(bytes('{broken')), 'text');
  assert.equal(payload.bestView(new Uint8Array([0xff, 0])), 'hex');
  assert.equal(payload.asJson(bytes('[1]')), '[\n  1\n]');
  assert.equal(
    payload.asHex(new Uint8Array([0x41, 0, 0xff])),
    `0000  41 00 ff${' '.repeat(39)}  A..`,
  );
  assert.ok(payload.asHex(new Uint8Array(4000)).endsWith('…'));
});

test('characters that deceive are made visible', () => {
  assert.equal(payload.visible('a\u0000b\n'), 'a\u2400b\u240a');
  assert.equal(payload.visible('x\u202egpj'), 'x\\u202egpj');
  assert.equal(payload.visible('家/ü'), '家/ü');
});

test('a long UTF-8 payload cut within a character is still text', () => {
  const odd = bytes('é'.repeat(300)).slice(0, 399);
  assert.equal(payload.preview(bytes('é'.repeat(300)), 600), 'é'.repeat(120));
  assert.equal(payload.preview(odd.slice(0, 99), 600), 'é'.repeat(49));
  assert.equal(payload.preview(odd.slice(0, 99), 99), '99 B');
  assert.equal(payload.bestView(odd, true), 'text');
  assert.equal(payload.bestView(odd), 'hex');
});

const sample = (t: number, text: string, value: number | null = null): Sample => ({
  t,
  value,
  payload: text,
  user: null,
  client: null,
});

test('switches become steps that last until now', () => {
  const s = [sample(1000, 'ON'), sample(3000, 'OFF')];
  assert.ok(isSwitch(s));
  assert.deepEqual(series(s, 9000), {
    times: [1, 3, 9],
    values: [1, 0, 0],
    steps: true,
  });
});

test('measurements are drawn, what is no number is left out', () => {
  const s = [sample(1000, '20.5', 20.5), sample(2000, 'error')];
  assert.deepEqual(series(s, 9000), {
    times: [1],
    values: [20.5],
    steps: false,
  });
  assert.deepEqual(series([], 9), { times: [], values: [], steps: false });
});

test('what is live and fetched too is there once', () => {
  const fetched = [sample(1000, 'ON'), sample(9000, 'OFF')];
  const live = [sample(9100, 'OFF'), sample(9300, 'ON'), sample(12000, 'OFF')];
  assert.deepEqual(
    notFetched(live, fetched).map((s) => s.t),
    [9300, 12000],
  );
  const s = liveSample(bytes('20.5'), 7);
  assert.deepEqual([s.t, s.value, s.payload], [7, 20.5, '20.5']);
  assert.equal(liveSample(bytes('ON'), 7).value, null);
  assert.equal(liveSample(bytes(''), 7).value, null);
});

test('an average stands in the middle of its step, between its extremes', () => {
  const drawn = averageSeries({
    step: 300,
    steps: [{ t: 600000, count: 2, min: 1, avg: 2, max: 3 }],
  });
  assert.deepEqual(drawn.times, [750]);
  assert.deepEqual(drawn.values, [2]);
  assert.deepEqual(drawn.band, { low: [1], high: [3] });
});

test('the header has 26 lines and each BCM number once', () => {
  const lines = HEADER.map((p) => p.line).filter((l) => l !== null);
  assert.equal(HEADER.length, 40);
  assert.deepEqual(
    [...lines].sort((a, b) => a - b),
    [...Array(28).keys()],
  );
  assert.deepEqual([17, 2, 21, 14].map(headerPin), [11, 3, 40, 8]);
  assert.equal(headerPin(40), null);
});

const pin = (name: string, change: Partial<Pin> = {}): Pin => ({
  ...newPin(17),
  name,
  ...change,
});

const thing = (node: string, group: 'out' | 'in', name: string) => ({
  node,
  group,
  name,
  state: 'ON',
  heard: 0,
  event: null,
  count: null,
  position: null,
});

test('tiles go to their rooms, those without one come last', () => {
  const pins = [
    pin('lamp', { room: 'Kitchen', label: 'Lamp', kind: 'light' }),
    pin('bell', { dir: 'in', kind: 'button' }),
    pin('relay', { room: 'Kitchen' }),
  ];
  const things = new Map([
    ['hearth/pi/out/lamp', thing('pi', 'out', 'lamp')],
    ['hearth/attic/out/fan', thing('attic', 'out', 'fan')],
  ]);
  const list = rooms(
    'pi',
    [{ node: 'pi', pins, errors: [{ pin: 'relay', message: 'busy' }] }],
    things,
  );
  assert.deepEqual(
    list.map((r) => [r.name, r.tiles.map((t) => t.label)]),
    [
      ['Kitchen', ['Lamp', 'Relay']],
      ['', ['Bell']],
      ['attic', ['Fan']],
    ],
  );
  assert.equal(list[0]!.tiles[0]!.thing!.state, 'ON');
  assert.equal(list[0]!.tiles[1]!.fault, 'busy');
  assert.equal(prettyName('floor_lamp-2'), 'Floor lamp 2');
});

test('sensors and covers have their label, room and place', () => {
  const base = { label: '', room: 'Cellar' };
  const devices = [
    { ...base, name: 'boiler', kind: 'ds18b20', measured_in: '°C' },
    { ...base, name: 'blind', kind: 'cover', label: 'Blind' },
  ] as const;
  const say = (topic: string, text: string) =>
    onBoardMessage({ topic, payload: bytes(text), retain: true } as never);
  say('hearth/pi/cover/blind/position', '30');
  say('hearth/pi/cover/blind', 'open');
  say('hearth/pi/sensor/boiler', '61.5');
  flush();
  const [room] = rooms(
    'pi',
    [{ node: 'pi', pins: [], errors: [], devices }],
    allThings.value,
  );
  assert.equal(room!.name, 'Cellar');
  assert.deepEqual(
    room!.tiles.map((x) => [x.label, x.group, x.thing!.state]),
    [
      ['Blind', 'cover', 'open'],
      ['Boiler', 'sensor', '61.5'],
    ],
  );
  const place = () => allThings.value.get('hearth/pi/cover/blind')?.position;
  assert.equal(place(), 30);
  say('hearth/pi/cover/blind/position', '');
  flush();
  assert.equal(place(), null);
  /* Taken away: its state, then its position, in either order. */
  say('hearth/pi/cover/blind', '');
  say('hearth/pi/cover/blind/position', '');
  flush();
  assert.equal(place(), undefined);
});

test('a light published twice is one tile', () => {
  const light = (state: string) => ({
    ...thing('pi', 'out', 'lamp'),
    group: 'light' as const,
    state,
  });
  const keys = (state: string, pins: Pin[] = []) => {
    const things = new Map<string, Thing>([
      ['hearth/pi/out/lamp', thing('pi', 'out', 'lamp')],
      ['hearth/pi/light/lamp', light(state)],
    ]);
    const list = rooms('pi', [{ node: 'pi', pins, errors: [] }], things);
    return list.flatMap((r) => r.tiles.map((x) => x.key));
  };
  const lamp = pin('lamp', { kind: 'light' });
  const dim = '{"state":"ON","brightness":9}';
  assert.deepEqual(keys('{"state":"ON"}'), ['hearth/pi/out/lamp']);
  assert.deepEqual(keys('{"state":"ON"}', [lamp]), ['hearth/pi/out/lamp']);
  assert.deepEqual(keys(dim), ['hearth/pi/light/lamp']);
  assert.deepEqual(keys(dim, [lamp]), ['hearth/pi/light/lamp']);
});

test('an active-low input is on at 0 V', () => {
  assert.equal(levelFor(pin('a', { active_low: true }), true), 0);
  assert.equal(levelFor(pin('a', { active_low: true }), false), 1);
  assert.equal(levelFor(pin('a'), true), 1);
});

test('a pin is checked before the server is asked', () => {
  const others = [pin('lamp')];
  const bad = (p: Pin, isNew = true) => pinProblems(p, isNew, others);
  assert.deepEqual(bad(pin('ok')), {});
  assert.deepEqual(bad(pin('lamp')), { name: 'pins.name_taken' });
  assert.deepEqual(bad(pin('lamp'), false), {});
  assert.ok(bad(pin('')).name && bad(pin('a/b')).name && bad(pin('ü')).name);
  assert.ok(bad(pin('x'.repeat(33))).name && bad(pin('Lamp')).name);
  assert.ok(bad(pin('ok', { label: 'ü'.repeat(33) })).label);
  assert.ok(bad(pin('ok', { line: -1 })).line);
  for (const ms of [-1, 10001, NaN, 1.5]) {
    assert.ok(bad(pin('ok', { debounce_ms: ms })).debounce_ms, `${ms}`);
  }
  assert.equal(slug('Küchen-Lampe 2!'), 'ku_chen_lampe_2');
});

test('both languages have the same parameters', () => {
  const holes = (s: string) => [...s.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.deepEqual(holes(zh[key]), holes(en[key]), key);
    assert.notEqual(zh[key], '', key);
  }
});
