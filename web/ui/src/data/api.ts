/* The REST API, /api/v1. Every failure is an ApiError that can be shown. */

export interface Session {
  claimed: boolean;
  demo: boolean;
  authenticated: boolean;
  user?: string;
  admin?: boolean;
  csrf?: string;
  node: string;
  version: string;
}

export interface Status {
  node: string;
  version: string;
  uptime_s: number;
  demo: boolean;
  clients: { connected: number; sessions: number };
  messages: { received: number; sent: number };
  retained: number;
  subscriptions: number;
  store: { state: 'ok' | 'degraded' | 'refusing' | 'memory' | 'none'; pending: number };
  gpio: { online: boolean; backend: 'gpiod' | 'sim' | null };
  rss_bytes: number;
}

export interface Client {
  id: string;
  user: string;
  address: string;
  protocol: string;
  transport: string;
  connected: boolean;
  since: number;
  clean: boolean;
  expiry_s: number | null;
  keep_alive_s: number;
  subscriptions: number;
  queued: number;
  queued_bytes: number;
  output_bytes: number;
  oldest: number | null;
  dropped: number;
  refused: number;
  inflight: number;
  received: number;
  sent: number;
}

export interface User {
  name: string;
  admin: boolean;
  kind: 'person' | 'device';
  enabled: boolean;
  created: number;
  etag?: string;
}

export interface Rule {
  id: number | string;
  user: string;
  filter: string;
  action: 'read' | 'write' | 'readwrite';
  effect: 'allow' | 'deny';
}

export interface Ban {
  id: number;
  kind: 'user' | 'client' | 'address';
  what: string;
  reason: string;
  until: number | null;
  hits: number;
  automatic: boolean;
  created: number | null;
  by: string | null;
}

export interface Notice {
  kind:
    | 'store'
    | 'refusing'
    | 'memory'
    | 'set_aside'
    | 'flapping'
    | 'takeovers'
    | 'logins';
  subject: string;
  from: string | null;
  other: string | null;
  first: number;
  last: number;
  count: number;
  /* set_aside */
  file?: string;
  why?: 'damaged' | 'foreign' | 'newer' | 'unreadable' | 'missing';
  instead?: 'backup' | 'empty' | null;
  backup_time?: number;
}

export interface Verdict {
  allowed: boolean;
  rule: number | string | null;
  reason: string;
}

export type PinKind =
  | 'relay'
  | 'light'
  | 'switch'
  | 'button'
  | 'contact'
  | 'motion'
  | 'counter';

/* What an input does besides saying its level; 0 or '' for no such thing. */
export interface PinInput {
  target: string;
  mode: 'detached' | 'follow' | 'toggle' | 'momentary';
  double_ms: number;
  long_ms: number;
  hold_ms: number;
  unit: string;
  per_unit: number;
  interval: number;
}

/* What holds for an output, whoever switches it; 0 or '' for no such rule. */
export interface PinRules {
  boot: 'as_read' | 'off' | 'on' | 'restore';
  interlock: string;
  locked: boolean;
  dead_ms: number;
  cycles: number;
  max_on: number;
  min_on: number;
  min_off: number;
  auto_off: number;
  command_timeout: number;
  failsafe: number;
}

export interface Pin extends PinRules, PinInput {
  name: string;
  dir: 'in' | 'out';
  chip: string | null;
  line: number;
  pin?: number | null;
  bias: 'none' | 'up' | 'down' | 'as_is';
  active_low: boolean;
  debounce_ms: number;
  safe: 'off' | 'on' | 'hold';
  kind: PinKind;
  label: string;
  room: string;
}

export type Risk = 'eeprom' | 'i2c' | 'one_wire' | 'uart' | 'spi' | 'audio';

export interface Line {
  line: number;
  pin: number | null;
  name: string;
  functions: string[];
  pull: 'up' | 'down' | null;
  risk: Risk | null;
  used: boolean;
  consumer: string | null;
  configured: string | null;
  warning: string | null;
  /* What its risk names, by the device tree; not known: null. */
  switched_on?: boolean | null;
  /* Of a simulated board only. */
  scenario?: Scenario | null;
  fault?: Fault | null;
}

export type Scenario = 'door' | 'noisy_button' | 'flow_meter';
export type Fault = 'busy' | 'io_error' | 'lost_events' | 'bounce';

export interface Pins {
  backend: string | null;
  board: { id: string; name: string | null; pins: number } | null;
  /* The board has not yet reported on the newest configuration. */
  pending?: boolean;
  pins: Pin[];
  lines: Line[];
  /* Besides the one behind the header. */
  chips: { label: string; count: number; lines: Line[] }[];
  errors: { pin: string; message: string }[];
}

export interface Sample {
  t: number;
  value: number | null;
  payload: string;
  user: string | null;
  client: string | null;
}

/* Zero: as long as usual, no limit. */
export interface HistoryPolicy {
  filter: string;
  keep: boolean;
  on_change: boolean;
  averages: boolean;
  min_interval_ms: number;
  days: number;
  rows: number;
}

export interface HistoryStatus {
  days: number;
  budget_mb: number;
  written: number;
  waiting: number;
  lost: number;
  thinned: number;
  failing: boolean;
}

/* Numbers of one step of time. */
export interface Step {
  t: number;
  count: number;
  min: number;
  avg: number;
  max: number;
}

export interface HistoryTopic {
  topic: string;
  samples: number;
  first: number;
  last: number;
}

export interface KeptBackup {
  number: number;
  time: number;
  bytes: number;
  file: string;
}

export interface Backups {
  backups: KeptBackup[];
  running: boolean;
  last: {
    time: number;
    ok: boolean;
    ms: number;
    bytes: number;
    error: string | null;
  } | null;
  nightly: {
    enabled: boolean;
    hour: number;
    keep: number;
    history: boolean;
    encrypted: boolean;
    path: string | null;
    next: number | null;
  };
}

export interface BackupContents {
  time: number;
  node: string;
  version: string;
  files: { name: string; bytes: number }[];
}

interface Problem {
  type?: string;
  title?: string;
  detail?: string;
  errors?: { field: string; message: string }[];
}

/* status 0: the server could not be reached. slug: the last part of the
 * problem's type. fields: what is wrong with which input. */
export class ApiError extends Error {
  readonly slug: string;
  readonly fields: Record<string, string> = {};

  constructor(
    readonly status: number,
    problem: Problem,
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.slug = (problem.type ?? '').split('/').pop() ?? '';
    for (const e of problem.errors ?? []) this.fields[e.field] = e.message;
  }
}

let csrf = '';
let onUnauthorized: () => void = () => {};

/* The token that every changing request carries; from the session. */
export function useCsrf(token: string | undefined): void {
  csrf = token ?? '';
}

/* Called when the server no longer knows the session. */
export function whenUnauthorized(f: () => void): void {
  onUnauthorized = f;
}

/* What an answer other than 2xx means. */
function failure(response: Response, text: string, path: string): ApiError {
  if (response.status === 401 && path !== '/login') onUnauthorized();
  const retry = Number(response.headers.get('Retry-After'));
  const problem = (parse(text) ?? {}) as Problem;
  return new ApiError(response.status, problem, retry || null);
}

/* One request; answers the parsed body, or null when there is none. */
export async function request<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (method !== 'GET' && csrf !== '') headers['X-CSRF-Token'] = csrf;
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  let response: Response;
  let text: string;
  try {
    response = await fetch(`/api/v1${path}`, init);
    text = await response.text();
  } catch {
    throw new ApiError(0, {});
  }
  if (response.ok) return parse(text) as T;
  throw failure(response, text, path);
}

/* POST whose answer is a file. */
export async function download(
  path: string,
  body: unknown,
): Promise<{ blob: Blob; name: string }> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
      credentials: 'same-origin',
      body: JSON.stringify(body),
    });
    if (response.ok) {
      const says = response.headers.get('Content-Disposition') ?? '';
      const name = /filename="([^"]+)"/.exec(says)?.[1] ?? 'hearth';
      return { blob: await response.blob(), name };
    }
  } catch {
    throw new ApiError(0, {});
  }
  throw failure(response, await response.text(), path);
}

/* PUT of a file to a whole path that the hub gave. */
export async function upload<T>(path: string, file: Blob): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, { method: 'PUT', body: file });
    text = await response.text();
  } catch {
    throw new ApiError(0, {});
  }
  if (response.ok) return parse(text) as T;
  throw failure(response, text, path);
}

function parse(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const get = <T>(path: string) => request<T>('GET', path);
export const post = <T>(path: string, body: unknown = {}) =>
  request<T>('POST', path, body);
export const remove = (path: string) => request<null>('DELETE', path);

/* PUT; with the etag of what was shown, a change made meanwhile by somebody
 * else is not overwritten. */
export function put<T>(path: string, body: unknown, etag?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (etag) headers['If-Match'] = etag;
  return request<T>('PUT', path, body, headers);
}

export const enc = encodeURIComponent;
