/* The boards of the house, and which of them the page of the pins is about. A
 * board's key is '' for the hub's own, and its name for a satellite. */
import { signal } from '@preact/signals';
import * as api from './api';
import type { Pins } from './api';
import { session } from './session';

export interface Node {
  name: string;
  own: boolean;
  online: boolean;
  backend: 'gpiod' | 'sim' | null;
  board: Pins['board'];
  pending: boolean;
  pins: number;
  devices: number;
  errors: number;
  user?: string;
  created?: number;
}

export interface Nodes {
  nodes: Node[];
  can_add: boolean;
}

/* What a satellite joins by; the password is told this one time. */
export interface Joined {
  name: string;
  hub: string;
  user: string;
  password: string;
  join: string;
}

export const nodes = signal<Nodes | null>(null);
export const chosen = signal('');

export const keyOf = (node: Node) => (node.own ? '' : node.name);
/* And of the name that stands in topics. */
export const keyOfName = (name: string) =>
  name === session.value?.node ? '' : name;
/* What the chosen one is called in topics. */
export const chosenName = () => chosen.value || (session.value?.node ?? '');

/* Throws ApiError; what was known before stays. */
export async function loadNodes(): Promise<Nodes> {
  const n = await api.get<Nodes>('/nodes');
  nodes.value = n;
  if (!n.nodes.some((x) => keyOf(x) === chosen.value)) chosen.value = '';
  return n;
}

/* A path of the REST API, about the board of this key. */
export const ofBoard = (path: string, key = chosen.value) =>
  key ? `${path}?node=${api.enc(key)}` : path;
