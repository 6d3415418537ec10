/*
 * The tree of topics seen, with bounded memory whatever is published: a cap on
 * topics, on levels, and on the bytes kept of each payload.
 */
import { matches } from '../mqtt/topic';

export const MAX_TOPICS = 5000;
/* Deeper levels are shown as one: nobody looks that deep, and a name made of
 * 65535 slashes must not make 65535 rows. */
const MAX_LEVELS = 32;
/* 5000 topics keep 20 MB at most. The chosen topic is kept whole. */
const KEPT_BYTES = 4096;

export interface Last {
  payload: Uint8Array;
  size: number;
  qos: number;
  time: number;
}

export interface TopicNode {
  name: string;
  topic: string;
  children: Map<string, TopicNode>;
  /* Messages of this topic and of all below. */
  messages: number;
  topics: number;
  last: Last | null;
  retained: boolean;
}

interface Incoming {
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
}

function makeNode(name: string, topic: string): TopicNode {
  return {
    name,
    topic,
    children: new Map(),
    messages: 0,
    topics: 0,
    last: null,
    retained: false,
  };
}

function levels(topic: string): string[] {
  const all = topic.split('/', MAX_LEVELS);
  const length = all.join('/').length;
  if (length < topic.length) all[all.length - 1] += topic.slice(length);
  return all;
}

export class TopicTree {
  readonly root = makeNode('', '');
  topics = 0;
  /* Messages of topics that found no room. */
  dropped = 0;
  private chosen = '';
  private readonly known = new Map<string, TopicNode>();

  /* The payload of this topic is kept whole from now on. */
  choose(topic: string): void {
    this.chosen = topic;
  }

  find(topic: string): TopicNode | null {
    return this.known.get(topic) ?? null;
  }

  add(m: Incoming, time: number): void {
    const known = this.known.has(m.topic);
    if (!known && this.topics >= MAX_TOPICS) {
      this.dropped++;
      return;
    }
    const path = this.path(m.topic);
    const node = path[path.length - 1]!;
    if (!known) {
      this.topics++;
      this.known.set(m.topic, node);
      for (const n of path) n.topics++;
    }
    for (const n of path) n.messages++;
    if (m.retain) node.retained = m.payload.length > 0;
    const whole =
      m.topic === this.chosen || m.payload.length <= KEPT_BYTES;
    node.last = {
      /* A copy: a part of the buffer would keep the whole buffer alive. */
      payload: m.payload.slice(0, whole ? undefined : KEPT_BYTES),
      size: m.payload.length,
      qos: m.qos,
      time,
    };
  }

  private path(topic: string): TopicNode[] {
    const path = [this.root];
    let node = this.root;
    let at = '';
    for (const [i, name] of levels(topic).entries()) {
      at = i === 0 ? name : `${at}/${name}`;
      let child = node.children.get(name);
      if (child === undefined) {
        child = makeNode(name, at);
        node.children.set(name, child);
      }
      path.push(child);
      node = child;
    }
    return path;
  }
}

export interface Row {
  node: TopicNode;
  level: number;
  position: number;
  siblings: number;
  open: boolean;
}

function wanted(filter: string): (topic: string) => boolean {
  if (/[+#]/.test(filter)) return (topic) => matches(filter, topic);
  const lower = filter.toLowerCase();
  return (topic) => topic.toLowerCase().includes(lower);
}

/* The nodes with a topic that passes, and all above them. */
function passing(
  node: TopicNode,
  pass: (topic: string) => boolean,
  into: Set<TopicNode>,
): boolean {
  let any = node.last !== null && pass(node.topic);
  for (const child of node.children.values()) {
    if (passing(child, pass, into)) any = true;
  }
  if (any) into.add(node);
  return any;
}

/* The rows to draw, from top to bottom. With a filter all that pass are
 * unfolded, else those in open. */
export function visibleRows(
  tree: TopicTree,
  open: ReadonlySet<string>,
  filter: string,
): Row[] {
  const rows: Row[] = [];
  const shown = new Set<TopicNode>();
  if (filter !== '') passing(tree.root, wanted(filter), shown);
  const walk = (parent: TopicNode, level: number) => {
    const list = [...parent.children.values()]
      .filter((n) => filter === '' || shown.has(n))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const [i, node] of list.entries()) {
      const isOpen =
        node.children.size > 0 && (filter !== '' || open.has(node.topic));
      rows.push({
        node,
        level,
        position: i + 1,
        siblings: list.length,
        open: isOpen,
      });
      if (isOpen) walk(node, level + 1);
    }
  };
  walk(tree.root, 1);
  return rows;
}
