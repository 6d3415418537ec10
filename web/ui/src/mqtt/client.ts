/*
 * An MQTT 5 client over a WebSocket. It stays connected: after a loss it comes
 * back with growing, jittered pauses and subscribes again to what was asked.
 */
import * as codec from './codec';
import type { Packet } from './codec';
import { matches } from './topic';

export type LinkState = 'connecting' | 'online' | 'offline';

export interface Message {
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
}

/* What came of a publish: reason < 0x80 means the broker took it. */
export interface Outcome {
  reason: number;
  reasonString: string;
}

/* Why a publish has no outcome. */
export class LinkError extends Error {
  constructor(readonly why: 'offline' | 'timeout') {
    super(why);
  }
}

/* The part of a WebSocket we use. */
export interface Socket {
  binaryType: string;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface Options {
  clientId: string;
  open: () => Socket;
  onState: (state: LinkState) => void;
  /* An attempt to connect failed: with the broker's reason, or 0 when it
   * never answered. The session may be over: whoever knows may stop(). */
  onRefused: (reason: number) => void;
  random?: () => number;
}

interface Subscription {
  id: number;
  filter: string;
  onMessage: (m: Message) => void;
  onRefused: (reason: number) => void;
  retained: boolean;
}

interface Waiting {
  done: (o: Outcome) => void;
  fail: (e: LinkError) => void;
  timer: ReturnType<typeof setTimeout>;
}

const KEEP_ALIVE_S = 30;
/* A broker that is there answers a ping at once, even on bad Wi-Fi. */
const PONG_MS = 8000;
const CONNECT_MS = 10000;
const PUBLISH_MS = 10000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 20000;

export class MqttClient {
  private socket: Socket | null = null;
  private decoder = new codec.Decoder();
  private state: LinkState = 'offline';
  private stopped = true;
  private failures = 0;
  private lastPacketId = 0;
  private readonly subscriptions = new Set<Subscription>();
  private readonly filterIds = new Map<string, number>();
  private readonly subscribing = new Map<number, Subscription>();
  private readonly waiting = new Map<number, Waiting>();
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: Options) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.failures = 0;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    if (this.state === 'online') this.send(codec.encodeDisconnect());
    this.drop();
  }

  /* Something happened that makes it worth looking at the link now: the
   * screen was unlocked, the network came back. */
  nudge(): void {
    if (this.stopped) return;
    if (this.socket === null) {
      clearTimeout(this.retryTimer);
      this.connect();
    } else if (this.state === 'online') {
      this.ping();
    }
  }

  /* Calls back for each message of the filter until the returned function
   * is called. Survives reconnects. retained: also for what is retained. */
  subscribe(
    filter: string,
    onMessage: (m: Message) => void,
    onRefused: (reason: number) => void = () => {},
    retained = true,
  ): () => void {
    const id = this.filterIds.get(filter) ?? this.filterIds.size + 1;
    this.filterIds.set(filter, id);
    const sub = { id, filter, onMessage, onRefused, retained };
    this.subscriptions.add(sub);
    if (this.state === 'online') this.sendSubscribe(sub);
    return () => {
      if (!this.subscriptions.delete(sub)) return;
      for (const s of this.subscriptions) if (s.id === id) return;
      if (this.state !== 'online') return;
      this.send(codec.encodeUnsubscribe(this.packetId(), filter));
    };
  }

  /* Resolves with the broker's verdict; for QoS 0 once it is sent. Rejects
   * with LinkError when the broker did not say. Nothing is sent later. */
  publish(
    topic: string,
    payload: Uint8Array<ArrayBuffer>,
    qos: 0 | 1 | 2 = 1,
    retain = false,
  ): Promise<Outcome> {
    if (this.state !== 'online') {
      return Promise.reject(new LinkError('offline'));
    }
    const id = qos > 0 ? this.packetId() : 0;
    const bytes = codec.encodePublish(topic, payload, qos, retain, id);
    if (qos === 0) {
      this.send(bytes);
      return Promise.resolve({ reason: 0, reasonString: '' });
    }
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        fail(new LinkError('timeout'));
      }, PUBLISH_MS);
      this.waiting.set(id, { done, fail, timer });
      this.send(bytes);
    });
  }

  /* ---- the link ------------------------------------------------------- */

  private connect(): void {
    this.setState('connecting');
    this.decoder = new codec.Decoder();
    let socket: Socket;
    try {
      socket = this.options.open();
    } catch {
      this.lost(0);
      return;
    }
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.send(codec.encodeConnect(this.options.clientId, KEEP_ALIVE_S));
    };
    socket.onmessage = (e: { data: unknown }) => {
      if (e.data instanceof ArrayBuffer) this.receive(new Uint8Array(e.data));
      else this.lost(0);
    };
    socket.onclose = () => this.lost(0);
    this.deadline = setTimeout(() => this.lost(0), CONNECT_MS);
  }

  /* Lets go of the socket and fails whoever waits for it. */
  private drop(): void {
    clearTimeout(this.deadline);
    clearInterval(this.pingTimer);
    const socket = this.socket;
    this.socket = null;
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.subscribing.clear();
    for (const [id, w] of this.waiting) {
      clearTimeout(w.timer);
      this.waiting.delete(id);
      w.fail(new LinkError('offline'));
    }
    this.setState('offline');
  }

  private lost(reason: number): void {
    const wasOnline = this.state === 'online';
    this.drop();
    if (!wasOnline) this.options.onRefused(reason);
    if (this.stopped) return;
    this.retryTimer = setTimeout(() => this.connect(), this.pause());
  }

  /* Between half and the whole of a pause that doubles: a power cut must not
   * bring every tablet of the house back in the same instant. */
  private pause(): number {
    const doubled = BACKOFF_FIRST_MS * 2 ** this.failures++;
    const full = Math.min(doubled, BACKOFF_MAX_MS);
    const random = this.options.random ?? Math.random;
    return full / 2 + (random() * full) / 2;
  }

  private send(bytes: Uint8Array<ArrayBuffer>): void {
    this.socket?.send(bytes);
  }

  private ping(): void {
    this.send(codec.encodePing());
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.lost(0), PONG_MS);
  }

  private setState(state: LinkState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.onState(state);
  }

  /* A packet identifier nobody is waiting for. */
  private packetId(): number {
    do {
      this.lastPacketId = (this.lastPacketId % 0xffff) + 1;
    } while (
      this.waiting.has(this.lastPacketId) ||
      this.subscribing.has(this.lastPacketId)
    );
    return this.lastPacketId;
  }

  private sendSubscribe(sub: Subscription): void {
    const id = this.packetId();
    this.subscribing.set(id, sub);
    const { filter, retained } = sub;
    this.send(codec.encodeSubscribe(id, filter, sub.id, retained));
  }

  /* ---- what the broker says ------------------------------------------- */

  private receive(bytes: Uint8Array): void {
    let packets: Packet[];
    try {
      packets = this.decoder.push(bytes);
    } catch {
      this.lost(0);
      return;
    }
    const socket = this.socket;
    for (const p of packets) {
      if (this.socket !== socket) return;
      this.handle(p);
    }
  }

  private handle(p: Packet): void {
    if (this.state !== 'online' && p.type !== 'connack') {
      this.lost(p.type === 'disconnect' ? p.reason : 0);
      return;
    }
    switch (p.type) {
      case 'connack':
        this.onConnack(p.reason, p.serverKeepAlive ?? KEEP_ALIVE_S);
        break;
      case 'publish':
        this.deliver(p);
        break;
      case 'puback':
      case 'pubcomp':
        this.settle(p.packetId, p);
        break;
      case 'pubrec':
        if (p.reason >= 0x80) this.settle(p.packetId, p);
        else this.send(codec.encodePubrel(p.packetId));
        break;
      case 'suback':
        this.onSuback(p.packetId, p.reasons[0] ?? 0x80);
        break;
      case 'pingresp':
        clearTimeout(this.deadline);
        break;
      case 'disconnect':
        this.lost(p.reason);
        break;
      case 'unsuback':
      case 'pubrel':
        break;
    }
  }

  private onConnack(reason: number, keepAlive: number): void {
    if (this.state === 'online' || reason >= 0x80) {
      this.lost(reason);
      return;
    }
    clearTimeout(this.deadline);
    this.failures = 0;
    if (keepAlive > 0) {
      const every = Math.min(keepAlive, KEEP_ALIVE_S) * 1000;
      this.pingTimer = setInterval(() => this.ping(), every * 0.7);
    }
    this.setState('online');
    for (const sub of this.subscriptions) this.sendSubscribe(sub);
  }

  private onSuback(packetId: number, reason: number): void {
    const sub = this.subscribing.get(packetId);
    this.subscribing.delete(packetId);
    if (sub !== undefined && reason >= 0x80) sub.onRefused(reason);
  }

  private settle(packetId: number, o: Outcome): void {
    const w = this.waiting.get(packetId);
    if (w === undefined) return;
    clearTimeout(w.timer);
    this.waiting.delete(packetId);
    w.done({ reason: o.reason, reasonString: o.reasonString });
  }

  /* The subscription identifiers say for whom it is: one for each filter, as
   * equal filters are one subscription over there. A broker without them
   * leaves it to us to match. */
  private deliver(p: Message & { subscriptionIds: number[] }): void {
    const ids = p.subscriptionIds;
    for (const sub of [...this.subscriptions]) {
      const mine =
        ids.length > 0 ? ids.includes(sub.id) : matches(sub.filter, p.topic);
      if (mine) sub.onMessage(p);
    }
  }
}
