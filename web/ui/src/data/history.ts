/* Recorded messages of one topic: fetching, and what can be drawn of them. */
import * as api from './api';
import type { Sample, Step } from './api';

export const RANGES = { '1h': 3600, '24h': 86400, '7d': 604800, '30d': 2592000 };
export type Range = keyof typeof RANGES;

/* What a phone can still draw and hold. Newer samples win. */
export const MAX_SAMPLES = 20000;
const PAGE = 10000;

export interface Recorded {
  samples: Sample[];
  /* There were more than MAX_SAMPLES. */
  cut: boolean;
}

interface Page {
  samples: Sample[];
  next: string | number | null;
}

/* More samples than these of a measurement are drawn as averages: seconds of a
 * step, so that there are some 300 of them. */
const STEPS: Record<Range, number> = {
  '1h': 0,
  '24h': 300,
  '7d': 3600,
  '30d': 7200,
};
const DRAWN_SINGLY = 2000;

export interface Averages {
  step: number;
  steps: Step[];
}

/* Null where the messages themselves are few enough, or no numbers. */
export async function fetchAverages(
  topic: string,
  range: Range,
  from: number,
  to: number,
): Promise<Averages | null> {
  const step = STEPS[range];
  if (step === 0) return null;
  const span = { topic, from: String(from), to: String(to) };
  const first = await api.get<Page>(
    `/history?${new URLSearchParams({ ...span, limit: String(DRAWN_SINGLY) })}`,
  );
  if (first.next === null || isSwitch(first.samples)) return null;
  const { steps } = await api.get<{ steps: Step[] }>(
    `/history?${new URLSearchParams({
      ...span,
      step: String(step),
      limit: String(PAGE),
    })}`,
  );
  return steps.length > 0 ? { step, steps } : null;
}

/* All samples of [from, to], oldest first. */
export async function fetchHistory(
  topic: string,
  from: number,
  to: number,
): Promise<Recorded> {
  const samples: Sample[] = [];
  let after: string | number | null = null;
  do {
    const query = new URLSearchParams({
      topic,
      from: String(from),
      to: String(to),
      limit: String(PAGE),
    });
    if (after !== null) query.set('after', String(after));
    const page: Page = await api.get<Page>(`/history?${query}`);
    samples.push(...page.samples);
    after = page.samples.length > 0 ? page.next : null;
  } while (after !== null && samples.length < MAX_SAMPLES);
  return { samples, cut: after !== null };
}

/* What was just published, as the box will record it. */
export function liveSample(payload: Uint8Array, t: number): Sample {
  const text = new TextDecoder().decode(payload);
  const value = text.trim() === '' ? NaN : Number(text);
  return {
    t,
    value: Number.isFinite(value) ? value : null,
    payload: text,
    user: null,
    client: null,
  };
}

/* The box records a message some moments after it has passed it on, and its
 * clock is not ours. */
const SAME_MS = 2000;

/* The live samples that are not among those fetched. */
export function notFetched(
  live: readonly Sample[],
  fetched: readonly Sample[],
): Sample[] {
  const recent = fetched.slice(-live.length * 2 - 100);
  return live.filter(
    (l) =>
      !recent.some(
        (s) => s.payload === l.payload && Math.abs(s.t - l.t) < SAME_MS,
      ),
  );
}

const SWITCHES: Record<string, number> = {
  ON: 1,
  OFF: 0,
  online: 1,
  offline: 0,
  true: 1,
  false: 0,
};

/* The number a sample is drawn at; null when it is none. */
export function valueOf(s: Sample): number | null {
  const known = SWITCHES[s.payload];
  if (known !== undefined) return known;
  if (s.value !== null) return s.value;
  const state = /"state"\s*:\s*"(ON|OFF)"/.exec(s.payload)?.[1];
  return state === undefined ? null : SWITCHES[state]!;
}

/* Whether it is a switch, which jumps, or a measurement, which glides. */
export function isSwitch(samples: readonly Sample[]): boolean {
  return (
    samples.length > 0 &&
    samples.every((s) => s.payload in SWITCHES || /"state"/.test(s.payload))
  );
}

export interface Series {
  times: number[];
  values: number[];
  steps: boolean;
  /* Lowest and highest of what each value stands for. */
  band?: { low: number[]; high: number[] };
}

/* Each average stands in the middle of its step. */
export function averageSeries({ step, steps }: Averages): Series {
  return {
    times: steps.map((s) => s.t / 1000 + step / 2),
    values: steps.map((s) => s.avg),
    steps: false,
    band: { low: steps.map((s) => s.min), high: steps.map((s) => s.max) },
  };
}

/* What the chart draws; a switch keeps its last state until "to". */
export function series(samples: readonly Sample[], to: number): Series {
  const steps = isSwitch(samples);
  const times: number[] = [];
  const values: number[] = [];
  for (const s of samples) {
    const v = valueOf(s);
    if (v === null) continue;
    times.push(s.t / 1000);
    values.push(v);
  }
  const last = values.at(-1);
  if (steps && last !== undefined) {
    times.push(to / 1000);
    values.push(last);
  }
  return { times, values, steps };
}
