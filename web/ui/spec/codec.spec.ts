import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as codec from '../src/mqtt/codec';
import type { Packet } from '../src/mqtt/codec';

const hex = (b: Uint8Array) => Buffer.from(b).toString('hex');
const bytes = (s: string) =>
  new Uint8Array(Buffer.from(s.replace(/\s+/g, ''), 'hex'));
const text = (s: string) => new TextEncoder().encode(s);

function decode(s: string): Packet[] {
  return new codec.Decoder().push(bytes(s));
}

test('encoders write the bytes of the specification', () => {
  const table: [string, Uint8Array, string][] = [
    [
      'CONNECT',
      codec.encodeConnect('web-1', 30),
      `10 17  0004 4d515454 05 02 001e  05 27 00100000  0005 7765622d31`,
    ],
    [
      'SUBSCRIBE',
      codec.encodeSubscribe(0x1234, 'a/#', 200),
      '82 0c  1234  03 0b c801  0003 612f23 08',
    ],
    [
      'SUBSCRIBE without what is retained',
      codec.encodeSubscribe(1, 'a', 1, false),
      '82 09  0001  02 0b 01  0001 61 28',
    ],
    [
      'UNSUBSCRIBE',
      codec.encodeUnsubscribe(1, 'a/#'),
      'a2 08  0001 00  0003 612f23',
    ],
    [
      'PUBLISH QoS 0',
      codec.encodePublish('t', text('hi'), 0, false, 0),
      '30 06  0001 74  00  6869',
    ],
    [
      'PUBLISH QoS 1, retain',
      codec.encodePublish('t', text('hi'), 1, true, 0xabcd),
      '33 08  0001 74  abcd 00  6869',
    ],
    [
      'PUBLISH QoS 2, empty',
      codec.encodePublish('ü', new Uint8Array(), 2, false, 7),
      '34 07  0002 c3bc  0007 00',
    ],
    ['PUBREL', codec.encodePubrel(258), '62 02 0102'],
    ['PINGREQ', codec.encodePing(), 'c0 00'],
    ['DISCONNECT', codec.encodeDisconnect(), 'e0 00'],
  ];
  for (const [name, got, want] of table) {
    assert.equal(hex(got), want.replace(/\s+/g, ''), name);
  }
});

test('a long packet has a remaining length of two to four bytes', () => {
  for (const [n, head] of [
    [127 - 4, '307f'],
    [128 - 4, '308001'],
    [16384 - 4, '30808001'],
    [2097152 - 4, '3080808001'],
  ] as const) {
    const p = codec.encodePublish('t', new Uint8Array(n), 0, false, 0);
    assert.equal(hex(p.subarray(0, head.length / 2)), head);
  }
});

test('a topic of more than 65535 bytes is refused', () => {
  const long = 'x'.repeat(65536);
  const none = new Uint8Array();
  assert.throws(() => codec.encodePublish(long, none, 0, false, 0), RangeError);
});

test('a CONNACK with every property is read', () => {
  const all = `
    11 00000e10  21 0014  24 01  25 01  27 00010000
    12 0002 7831  22 0000  1f 0002 6f6b  26 0001 61 0001 62
    28 01  29 01  2a 01  13 003c  1a 0001 72  1c 0001 73
    15 0001 6d  16 0002 0102`;
  const props = bytes(all);
  const body = `00 00 ${hex(new Uint8Array([props.length]))} ${hex(props)}`;
  const n = bytes(body).length.toString(16).padStart(2, '0');
  assert.deepEqual(decode(`20 ${n} ${body}`), [
    {
      type: 'connack',
      sessionPresent: false,
      reason: 0,
      reasonString: 'ok',
      serverKeepAlive: 60,
    },
  ]);
});

test('a refusing CONNACK keeps its reason', () => {
  const [p] = decode('20 03 00 86 00');
  assert.ok(p?.type === 'connack' && p.reason === 0x86);
});

test('a PUBLISH is read with flags, identifiers and payload', () => {
  const [p] = decode('3b 0f  0003 612f62  0102  05 0b05 0bc801  00ff');
  assert.deepEqual(p, {
    type: 'publish',
    topic: 'a/b',
    payload: bytes('00ff'),
    qos: 1,
    retain: true,
    dup: true,
    packetId: 0x0102,
    subscriptionIds: [5, 200],
  });
});

test('a PUBLISH with alien properties is stepped through', () => {
  const props = '01 01  02 00000001  03 0001 78  08 0001 79  09 0001 7a';
  const n = bytes(props).length;
  const body = `0001 74 ${n.toString(16).padStart(2, '0')} ${props} 61`;
  const len = bytes(body).length.toString(16).padStart(2, '0');
  const [p] = decode(`30 ${len} ${body}`);
  assert.ok(p?.type === 'publish' && hex(p.payload) === '61');
});

test('acknowledgements are read in their short and long forms', () => {
  const table: [string, string, number, string][] = [
    ['40 02 0001', 'puback', 0, ''],
    ['40 03 0001 10', 'puback', 0x10, ''],
    ['40 04 0001 87 00', 'puback', 0x87, ''],
    ['40 0a 0001 87 06 1f 0003 6e6f21', 'puback', 0x87, 'no!'],
    ['50 02 0001', 'pubrec', 0, ''],
    ['62 02 0001', 'pubrel', 0, ''],
    ['70 03 0001 92', 'pubcomp', 0x92, ''],
  ];
  for (const [wire, type, reason, reasonString] of table) {
    assert.deepEqual(decode(wire), [
      { type, packetId: 1, reason, reasonString },
    ]);
  }
});

test('SUBACK, UNSUBACK, PINGRESP and DISCONNECT are read', () => {
  assert.deepEqual(decode('90 05 0001 00 00 87 b0 03 0002 00 d0 00 e0 00'), [
    { type: 'suback', packetId: 1, reasons: [0, 0x87], reasonString: '' },
    { type: 'unsuback', packetId: 2, reasons: [], reasonString: '' },
    { type: 'pingresp' },
    { type: 'disconnect', reason: 0, reasonString: '' },
  ]);
  const [d] = decode('e0 06 8e 04 1f 0001 78');
  assert.deepEqual(d, { type: 'disconnect', reason: 0x8e, reasonString: 'x' });
});

test('any split of the bytes gives the same packets', () => {
  const wire = bytes(`
    20 03 00 00 00  90 04 0001 00 00  30 06 0001 74 00 6869
    31 84 01 0001 74 00 ${'61'.repeat(128)}  d0 00`);
  const whole = new codec.Decoder().push(wire);
  assert.equal(whole.length, 5);
  for (let cut = 0; cut <= wire.length; cut++) {
    const d = new codec.Decoder();
    const got = [...d.push(wire.slice(0, cut)), ...d.push(wire.slice(cut))];
    assert.deepEqual(got, whole, `cut at ${cut}`);
  }
  const d = new codec.Decoder();
  const single = [...wire].flatMap((b) => d.push(new Uint8Array([b])));
  assert.deepEqual(single, whole);
});

test('every cut-off body is refused', () => {
  const good = [
    ['20', '00 00 03 21 0014'],
    ['32', '0001 74 0001 02 0b05'],
    ['40', '0001 87 04 1f 0001 78'],
    ['90', '0001 04 1f 0001 78'],
    ['e0', '8e 04 1f 0001 78'],
  ] as const;
  for (const [first, whole] of good) {
    const body = bytes(whole);
    decode(`${first} ${body.length.toString(16).padStart(2, '0')} ${whole}`);
    for (let n = 1; n < body.length; n++) {
      const part = hex(body.subarray(0, n));
      const wire = `${first} ${n.toString(16).padStart(2, '0')} ${part}`;
      /* Where a shorter form exists it is a packet of its own right. */
      const short = [2, 3].includes(n) || (first === 'e0' && n === 1);
      if (short && first !== '32') continue;
      assert.throws(() => decode(wire), codec.ProtocolError, wire);
    }
  }
});

test('what breaks the protocol is refused', () => {
  const table = {
    'QoS 3': '36 06 0001 74 0001 00',
    'flags of PUBACK': '41 02 0001',
    'flags of PUBREL': '60 02 0001',
    'flags of CONNACK': '20 03 02 00 00',
    'topic alias we never allowed': '30 06 0000 03 23 0001',
    'invalid UTF-8 in a topic': '30 04 0001 ff 00',
    'unknown property': '20 05 00 00 02 7f 00',
    'property longer than its block': '20 06 00 00 02 1f 0005',
    'property length of five bytes': '20 07 00 00 80 80 80 80 01',
    'remaining length of five bytes': '30 80 80 80 80 01',
    'a packet larger than we announced': '30 81 80 40',
    'CONNECT from a broker': '10 00',
    'packet type 0': '00 00',
    'AUTH nobody asked for': 'f0 00',
  };
  for (const [name, wire] of Object.entries(table)) {
    assert.throws(() => decode(wire), codec.ProtocolError, name);
  }
});
