/*
 * MQTT 5 bytes, as far as a browser needs them. No I/O and no clock here.
 * Encoders return one whole packet; Decoder takes bytes split anyhow.
 */

/* A packet that breaks MQTT 5. The connection must be closed. */
export class ProtocolError extends Error {}

/* We announce it in CONNECT, so an honest broker never sends more. */
export const MAX_PACKET = 1 << 20;

type AckType = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';

export type Packet =
  | {
      type: 'connack';
      sessionPresent: boolean;
      reason: number;
      reasonString: string;
      serverKeepAlive: number | null;
    }
  | {
      type: 'publish';
      topic: string;
      payload: Uint8Array;
      qos: number;
      retain: boolean;
      dup: boolean;
      packetId: number;
      subscriptionIds: number[];
    }
  | { type: AckType; packetId: number; reason: number; reasonString: string }
  | {
      type: 'suback' | 'unsuback';
      packetId: number;
      reasons: number[];
      reasonString: string;
    }
  | { type: 'pingresp' }
  | { type: 'disconnect'; reason: number; reasonString: string };

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/* ---- writing ---------------------------------------------------------- */

class Writer {
  private readonly bytes: number[] = [];

  u8(v: number): this {
    this.bytes.push(v & 0xff);
    return this;
  }

  u16(v: number): this {
    return this.u8(v >> 8).u8(v);
  }

  u32(v: number): this {
    return this.u16(v >>> 16).u16(v & 0xffff);
  }

  varint(v: number): this {
    do {
      const low = v % 128;
      v = Math.floor(v / 128);
      this.u8(v > 0 ? low | 0x80 : low);
    } while (v > 0);
    return this;
  }

  string(s: string): this {
    const b = utf8.encode(s);
    if (b.length > 0xffff) throw new RangeError('string too long for MQTT');
    this.u16(b.length);
    return this.raw(b);
  }

  raw(b: ArrayLike<number>): this {
    for (let i = 0; i < b.length; i++) this.bytes.push(b[i]!);
    return this;
  }

  /* A property block: its length, then its bytes. */
  properties(w: Writer): this {
    return this.varint(w.bytes.length).raw(w.bytes);
  }

  /* The whole packet: fixed header, what was written, and a payload. */
  packet(first: number, payload = new Uint8Array()): Uint8Array<ArrayBuffer> {
    const head = new Writer().u8(first);
    head.varint(this.bytes.length + payload.length);
    const all = head.bytes.concat(this.bytes);
    const out = new Uint8Array(all.length + payload.length);
    out.set(all, 0);
    out.set(payload, all.length);
    return out;
  }
}

/* CONNECT, clean start, session gone with the connection, no password:
 * the cookie that came with the upgrade says who we are. */
export function encodeConnect(clientId: string, keepAlive: number) {
  const props = new Writer().u8(0x27).u32(MAX_PACKET);
  return new Writer()
    .string('MQTT')
    .u8(5)
    .u8(0x02)
    .u16(keepAlive)
    .properties(props)
    .string(clientId)
    .packet(0x10);
}

/* SUBSCRIBE to one filter at QoS 0 with "retain as published", so that the
 * retain flag tells what the publisher said. retained: also send what is
 * retained already, or only what is published from now on. */
export function encodeSubscribe(
  packetId: number,
  filter: string,
  subscriptionId: number,
  retained = true,
) {
  const props = new Writer().u8(0x0b).varint(subscriptionId);
  return new Writer()
    .u16(packetId)
    .properties(props)
    .string(filter)
    .u8(retained ? 0x08 : 0x28)
    .packet(0x82);
}

export function encodeUnsubscribe(packetId: number, filter: string) {
  return new Writer().u16(packetId).varint(0).string(filter).packet(0xa2);
}

export function encodePublish(
  topic: string,
  payload: Uint8Array<ArrayBuffer>,
  qos: 0 | 1 | 2,
  retain: boolean,
  packetId: number,
) {
  const w = new Writer().string(topic);
  if (qos > 0) w.u16(packetId);
  return w.varint(0).packet(0x30 | (qos << 1) | (retain ? 1 : 0), payload);
}

export function encodePubrel(packetId: number) {
  return new Writer().u16(packetId).packet(0x62);
}

export const encodePing = () => new Uint8Array([0xc0, 0]);
export const encodeDisconnect = () => new Uint8Array([0xe0, 0]);

/* ---- reading ---------------------------------------------------------- */

class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  varint(): number {
    let value = 0;
    for (let i = 0, scale = 1; i < 4; i++, scale *= 128) {
      const b = this.u8();
      value += (b & 0x7f) * scale;
      if (b < 0x80) return value;
    }
    throw new ProtocolError('variable byte integer too long');
  }

  take(n: number): Uint8Array {
    if (this.left < n) throw new ProtocolError('packet too short');
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  string(): string {
    const bytes = this.take(this.u16());
    try {
      return strictUtf8.decode(bytes);
    } catch {
      throw new ProtocolError('invalid UTF-8');
    }
  }
}

interface Properties {
  reasonString: string;
  serverKeepAlive: number | null;
  subscriptionIds: number[];
}

/* Properties by the form of their value (MQTT 5, table 2-4). */
const BYTE = [0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a];
const U16 = [0x13, 0x21, 0x22, 0x23];
const U32 = [0x02, 0x11, 0x18, 0x27];
const STRING = [0x03, 0x08, 0x12, 0x15, 0x1a, 0x1c, 0x1f];
const BINARY = [0x09, 0x16];

/* Reads a property block. Those we have no use for are stepped over. */
function readProperties(r: Reader): Properties {
  const p: Properties = {
    reasonString: '',
    serverKeepAlive: null,
    subscriptionIds: [],
  };
  if (r.left === 0) return p;
  const block = new Reader(r.take(r.varint()));
  while (block.left > 0) {
    const id = block.varint();
    if (id === 0x0b) {
      p.subscriptionIds.push(block.varint());
    } else if (id === 0x26) {
      block.string();
      block.string();
    } else if (STRING.includes(id)) {
      const s = block.string();
      if (id === 0x1f) p.reasonString = s;
    } else if (U16.includes(id)) {
      const v = block.u16();
      if (id === 0x13) p.serverKeepAlive = v;
    } else if (BYTE.includes(id)) {
      block.take(1);
    } else if (U32.includes(id)) {
      block.take(4);
    } else if (BINARY.includes(id)) {
      block.take(block.u16());
    } else {
      throw new ProtocolError(`unknown property ${id}`);
    }
  }
  return p;
}

function readPublish(flags: number, r: Reader): Packet {
  const qos = (flags >> 1) & 3;
  if (qos === 3) throw new ProtocolError('QoS 3');
  const topic = r.string();
  const packetId = qos > 0 ? r.u16() : 0;
  if (r.left === 0) throw new ProtocolError('packet too short');
  const { subscriptionIds } = readProperties(r);
  if (topic === '') throw new ProtocolError('topic alias not announced');
  return {
    type: 'publish',
    topic,
    payload: r.take(r.left),
    qos,
    retain: (flags & 1) !== 0,
    dup: (flags & 8) !== 0,
    packetId,
    subscriptionIds,
  };
}

function readConnack(r: Reader): Packet {
  const flags = r.u8();
  if (flags > 1) throw new ProtocolError('CONNACK flags');
  const reason = r.u8();
  const { reasonString, serverKeepAlive } = readProperties(r);
  return {
    type: 'connack',
    sessionPresent: flags === 1,
    reason,
    reasonString,
    serverKeepAlive,
  };
}

/* PUBACK and its kin: the reason and the properties may be left out. */
function readAck(type: AckType, r: Reader): Packet {
  const packetId = r.u16();
  const reason = r.left > 0 ? r.u8() : 0;
  const { reasonString } = readProperties(r);
  return { type, packetId, reason, reasonString };
}

function readSuback(type: 'suback' | 'unsuback', r: Reader): Packet {
  const packetId = r.u16();
  const { reasonString } = readProperties(r);
  return { type, packetId, reasons: [...r.take(r.left)], reasonString };
}

function readDisconnect(r: Reader): Packet {
  const reason = r.left > 0 ? r.u8() : 0;
  const { reasonString } = readProperties(r);
  return { type: 'disconnect', reason, reasonString };
}

/* Reads one packet out of its fixed header's first byte and its body. */
function decodePacket(first: number, body: Uint8Array): Packet {
  const r = new Reader(body);
  const flags = first & 0x0f;
  const type = first >> 4;
  if (type !== 3 && flags !== (type === 6 ? 2 : 0)) {
    throw new ProtocolError('reserved flags are set');
  }
  switch (type) {
    case 2:
      return readConnack(r);
    case 3:
      return readPublish(flags, r);
    case 4:
      return readAck('puback', r);
    case 5:
      return readAck('pubrec', r);
    case 6:
      return readAck('pubrel', r);
    case 7:
      return readAck('pubcomp', r);
    case 9:
      return readSuback('suback', r);
    case 11:
      return readSuback('unsuback', r);
    case 13:
      return { type: 'pingresp' };
    case 14:
      return readDisconnect(r);
    default:
      throw new ProtocolError(`packet type ${type} from a broker`);
  }
}

/* Where a packet's body starts and how long it is; null: not all here yet. */
function readHeader(bytes: Uint8Array, at: number) {
  let length = 0;
  for (let i = 1, scale = 1; i <= 4; i++, scale *= 128) {
    const b = bytes[at + i];
    if (b === undefined) return null;
    length += (b & 0x7f) * scale;
    if (b < 0x80) {
      if (length > MAX_PACKET) throw new ProtocolError('packet too large');
      return { body: at + i + 1, end: at + i + 1 + length };
    }
  }
  throw new ProtocolError('remaining length too long');
}

/*
 * Cuts a byte stream into packets. push() returns those that are complete and
 * keeps the rest; it throws ProtocolError on the first broken one.
 */
export class Decoder {
  private rest: Uint8Array = new Uint8Array();

  push(chunk: Uint8Array): Packet[] {
    let bytes = chunk;
    if (this.rest.length > 0) {
      bytes = new Uint8Array(this.rest.length + chunk.length);
      bytes.set(this.rest);
      bytes.set(chunk, this.rest.length);
    }
    const packets: Packet[] = [];
    let at = 0;
    for (;;) {
      const head = readHeader(bytes, at);
      if (head === null || head.end > bytes.length) break;
      const body = bytes.subarray(head.body, head.end);
      packets.push(decodePacket(bytes[at]!, body));
      at = head.end;
    }
    this.rest = bytes.subarray(at);
    return packets;
  }
}
