import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkError, MqttClient } from '../src/mqtt/client';
import type { LinkState, Message } from '../src/mqtt/client';
import { Clock } from './clock';

const hex = (b: Uint8Array) => Buffer.from(b).toString('hex');

class FakeSocket {
  binaryType = '';
  onopen: unknown = null;
  onmessage: unknown = null;
  onclose: unknown = null;
  closed = false;
  sent: string[] = [];

  send(data: Uint8Array): void {
    this.sent.push(hex(data));
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    (this.onopen as () => void)();
  }

  say(s: string): void {
    const b = Buffer.from(s.replace(/\s+/g, ''), 'hex');
    const data = b.buffer.slice(b.byteOffset, b.byteOffset + b.length);
    (this.onmessage as ((e: unknown) => void) | null)?.({ data });
  }

  /* The other side goes away. */
  vanish(): void {
    (this.onclose as () => void)();
  }
}

function setUp(random = 1) {
  const clock = new Clock();
  const sockets: FakeSocket[] = [];
  const states: LinkState[] = [];
  const refused: number[] = [];
  const client = new MqttClient({
    clientId: 'web-1',
    open: () => {
      const s = new FakeSocket();
      sockets.push(s);
      return s;
    },
    onState: (s) => states.push(s),
    onRefused: (r) => refused.push(r),
    random: () => random,
  });
  const current = () => sockets.at(-1)!;
  const connect = () => {
    current().open();
    current().say('20 03 00 00 00');
  };
  return { clock, sockets, states, refused, client, current, connect };
}

type Setting = ReturnType<typeof setUp>;

function scene(name: string, f: (s: Setting) => void | Promise<void>): void {
  test(name, async () => {
    const s = setUp();
    try {
      await f(s);
    } finally {
      s.client.stop();
      s.clock.restore();
    }
  });
}

scene('it connects, subscribes and says so', (s) => {
  s.client.subscribe('a/#', () => {});
  s.client.start();
  s.current().open();
  assert.match(s.current().sent[0]!, /^1017.*7765622d31$/);
  assert.equal(s.current().sent.length, 1, 'nothing before CONNACK');
  s.current().say('20 03 00 00 00');
  assert.match(s.current().sent[1]!, /^820b0001020b010003612f2308$/);
  assert.deepEqual(s.states, ['connecting', 'online']);
});

scene('a message goes to the subscription it names', (s) => {
  const a: Message[] = [];
  const b: Message[] = [];
  s.client.subscribe('a/#', (m) => a.push(m));
  s.client.subscribe('#', (m) => b.push(m));
  s.client.start();
  s.connect();
  s.current().say('30 08 0003 612f62 02 0b01');
  s.current().say('31 09 0003 612f62 02 0b02 78');
  assert.equal(a.length, 1);
  assert.equal(b.length, 1);
  assert.ok(b[0]!.retain && hex(b[0]!.payload) === '78');
});

scene('without subscription identifiers it matches itself', (s) => {
  let a = 0;
  let c = 0;
  s.client.subscribe('a/#', () => a++);
  s.client.subscribe('c', () => c++);
  s.client.start();
  s.connect();
  s.current().say('30 06 0003 612f62 00');
  assert.deepEqual([a, c], [1, 0]);
});

scene('two users of one filter both get its messages', (s) => {
  const got = [0, 0];
  s.client.subscribe('#', () => got[0]!++);
  const stop = s.client.subscribe('#', () => got[1]!++);
  s.client.start();
  s.connect();
  s.current().say('30 06 0001 61 02 0b01');
  const before = s.current().sent.length;
  stop();
  assert.equal(s.current().sent.length, before, 'still one user');
  s.current().say('30 06 0001 61 02 0b01');
  assert.deepEqual(got, [2, 1]);
});

scene('the last user of a filter unsubscribes', (s) => {
  const stop = s.client.subscribe('#', () => assert.fail());
  s.client.start();
  s.connect();
  stop();
  assert.match(s.current().sent.at(-1)!, /^a206....00000123$/);
  s.current().say('30 06 0001 61 02 0b01');
});

scene('a refused subscription is told', (s) => {
  let reason = 0;
  s.client.subscribe('#', () => {}, (r) => (reason = r));
  s.client.start();
  s.connect();
  s.current().say('90 04 0001 00 87');
  assert.equal(reason, 0x87);
});

scene('a QoS 1 publish resolves with the reason of its PUBACK', async (s) => {
  s.client.start();
  s.connect();
  const outcome = s.client.publish('t', new Uint8Array([1]), 1);
  assert.equal(s.current().sent.at(-1), '320700017400010001');
  s.current().say('40 0a 0001 87 06 1f 0003 6e6f21');
  assert.deepEqual(await outcome, { reason: 0x87, reasonString: 'no!' });
});

scene('a QoS 2 publish is released and completed', async (s) => {
  s.client.start();
  s.connect();
  const outcome = s.client.publish('t', new Uint8Array(), 2);
  s.current().say('50 02 0001');
  assert.equal(s.current().sent.at(-1), '62020001');
  s.current().say('70 02 0001');
  assert.equal((await outcome).reason, 0);
});

scene('a QoS 2 publish refused by PUBREC is not released', async (s) => {
  s.client.start();
  s.connect();
  const outcome = s.client.publish('t', new Uint8Array(), 2);
  s.current().say('50 03 0001 87');
  assert.equal((await outcome).reason, 0x87);
  assert.ok(!s.current().sent.at(-1)!.startsWith('62'));
});

scene('a publish without a connection is refused and never sent', async (s) => {
  s.client.start();
  await assert.rejects(s.client.publish('t', new Uint8Array(), 1), LinkError);
  s.connect();
  assert.equal(s.current().sent.length, 1, 'CONNECT only');
});

scene('a publish fails with the connection, and when unanswered', async (s) => {
  s.client.start();
  s.connect();
  const first = s.client.publish('t', new Uint8Array(), 1);
  s.current().vanish();
  await assert.rejects(first, (e: LinkError) => e.why === 'offline');
  s.clock.pass(500);
  s.connect();
  const second = s.client.publish('t', new Uint8Array(), 1);
  const check = assert.rejects(second, (e: LinkError) => e.why === 'timeout');
  for (let i = 0; i < 10; i++) {
    s.clock.pass(1000);
    s.current().say('d0 00');
  }
  await check;
});

scene('it comes back after growing pauses and subscribes again', (s) => {
  s.client.subscribe('#', () => {});
  s.client.start();
  s.connect();
  for (const pause of [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]) {
    s.current().vanish();
    assert.equal(s.states.at(-1), 'offline');
    assert.equal(s.clock.next(), pause);
    s.clock.pass(pause);
    assert.equal(s.states.at(-1), 'connecting');
  }
  s.connect();
  assert.match(s.current().sent[1]!, /^82/);
  s.current().vanish();
  assert.equal(s.clock.next(), 500, 'a success starts afresh');
});

test('the pause is jittered down to its half', () => {
  const s = setUp(0);
  s.client.start();
  s.current().vanish();
  assert.equal(s.clock.next(), 250);
  s.client.stop();
  s.clock.restore();
});

scene('it pings, and gives up on a broker that is silent', (s) => {
  s.client.start();
  s.connect();
  s.clock.pass(21000);
  assert.equal(s.current().sent.at(-1), 'c000');
  s.current().say('d0 00');
  s.clock.pass(20000);
  assert.equal(s.states.at(-1), 'online');
  s.clock.pass(9000);
  assert.ok(s.sockets[0]!.closed);
  assert.equal(s.states.at(-1), 'offline');
});

scene('it pings as often as the broker asks', (s) => {
  s.client.start();
  s.current().open();
  s.current().say('20 06 00 00 03 13 000a');
  s.clock.pass(7000);
  assert.equal(s.current().sent.at(-1), 'c000');
});

scene('no CONNACK in time is a failure', (s) => {
  s.client.start();
  s.current().open();
  s.clock.pass(10000);
  assert.ok(s.sockets[0]!.closed);
  assert.deepEqual(s.refused, [0]);
});

scene('a refusal is told with its reason, and stop() ends it', (s) => {
  s.client.start();
  s.current().open();
  s.current().say('20 03 00 87 00');
  assert.deepEqual(s.refused, [0x87]);
  assert.equal(s.clock.next(), 500);
  s.client.stop();
  assert.equal(s.clock.next(), null);
});

scene('broken bytes close the connection', (s) => {
  s.client.start();
  s.connect();
  s.current().say('36 06 0001 74 0001 00');
  assert.ok(s.sockets[0]!.closed);
  assert.equal(s.states.at(-1), 'offline');
});

scene('nothing is taken in before CONNACK', (s) => {
  s.client.subscribe('#', () => assert.fail());
  s.client.start();
  s.current().open();
  s.current().say('30 04 0001 61 00');
  assert.ok(s.sockets[0]!.closed);
});

scene('a DISCONNECT of the broker closes, and we come back', (s) => {
  s.client.start();
  s.connect();
  s.current().say('e0 01 98');
  assert.equal(s.states.at(-1), 'offline');
  s.clock.pass(500);
  assert.equal(s.sockets.length, 2);
});

scene('stop() says good-bye and nothing runs on', (s) => {
  s.client.start();
  s.connect();
  s.client.stop();
  assert.equal(s.sockets[0]!.sent.at(-1), 'e000');
  assert.ok(s.sockets[0]!.closed);
  assert.equal(s.clock.next(), null);
});

scene('a nudge does not wait for the pause', (s) => {
  s.client.start();
  s.connect();
  s.current().vanish();
  s.client.nudge();
  assert.equal(s.sockets.length, 2);
  s.connect();
  s.client.nudge();
  assert.equal(s.current().sent.at(-1), 'c000', 'a live link is tried');
});

scene('packets after one that closed us are not looked at', (s) => {
  s.client.subscribe('#', () => assert.fail());
  s.client.start();
  s.connect();
  s.current().say('e0 00  30 04 0001 61 00');
});
