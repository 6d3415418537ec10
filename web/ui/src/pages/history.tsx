import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ComponentType } from 'preact';
import * as api from '../data/api';
import type { HistoryTopic, Sample } from '../data/api';
import {
  averageSeries,
  fetchAverages,
  fetchHistory,
  liveSample,
  notFetched,
  MAX_SAMPLES,
  RANGES,
  series,
} from '../data/history';
import type { Averages, Range } from '../data/history';
import { link } from '../data/link';
import { visible } from '../data/payload';
import { session } from '../data/session';
import { dateTime, number, plural, t } from '../i18n';
import type { Message } from '../mqtt/client';
import { Select } from '../ui/form';
import { Icon } from '../ui/icon';
import { href, route } from '../ui/route';
import { Head } from '../ui/shell';
import { Empty, Failed, Loading, useEvery, useLoad } from '../ui/states';
import { HistoryPolicies } from './history-policies';

/* The table shows the newest; the CSV file has all. */
const TABLE_ROWS = 200;
const REFRESH_MS = 60000;
/* The box records in batches: what happened just before is there by then. */
const RECORDED_MS = 2500;
/* So far the clock of the box may be ahead of ours. */
const AHEAD_MS = 300000;
/* Messages that the table shows beside a chart of averages. */
const RECENT_MS = 3600000;
/* Of a topic that is published to without end, between two refreshes. */
const MAX_LIVE = 1000;

type ChartType = ComponentType<{
  series: ReturnType<typeof series>;
  from: number;
  to: number;
  label: string;
  onLabel: string;
  offLabel: string;
  lowLabel: string;
  highLabel: string;
}>;

/* Charts are a third of the whole page's weight: fetched when needed. */
function useChart(): ChartType | null {
  const [chart, setChart] = useState<ChartType | null>(null);
  useEffect(() => {
    import('../ui/chart').then(
      (m) => setChart(() => m.Chart),
      () => {},
    );
  }, []);
  return chart;
}

/* The box makes it, row by row: a phone could not hold a month. */
function csvHref(topic: string, from: number, to: number): string {
  const query = new URLSearchParams({
    filter: topic,
    from: String(from),
    to: String(to),
  });
  return `/api/v1/history/export?${query}`;
}

function Table({ samples, recent }: {
  samples: readonly Sample[];
  recent: boolean;
}) {
  const newest = samples.slice(-TABLE_ROWS).reverse();
  return (
    <details class="card samples">
      <summary>{t('history.table')}</summary>
      <div class="table-box" tabIndex={0} role="region" aria-label={t('history.table')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('history.time')}</th>
              <th scope="col">{t('history.value')}</th>
              <th scope="col">{t('history.by')}</th>
            </tr>
          </thead>
          <tbody>
            {newest.map((s, i) => (
              <tr key={`${s.t}-${i}`}>
                <td class="nowrap">{dateTime(s.t)}</td>
                <td class="mono">
                  <bdi>{visible(s.payload.slice(0, 200))}</bdi>
                </td>
                <td>
                  <bdi>{visible(s.user || s.client || '–')}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {recent && <p class="note">{t('history.newest_hour')}</p>}
      {!recent && samples.length > TABLE_ROWS && (
        <p class="note">{t('history.newest', { n: number(TABLE_ROWS) })}</p>
      )}
    </details>
  );
}

function Drawing({ topic, samples, averages, from, to }: {
  topic: string;
  samples: Sample[];
  averages: Averages | null;
  from: number;
  to: number;
}) {
  const Chart = useChart();
  const drawn = useMemo(
    () => (averages ? averageSeries(averages) : series(samples, to)),
    [samples, averages, to],
  );
  if (drawn.times.length === 0) {
    return (
      <Empty icon="history" title={t('history.not_numbers')}>
        {t('history.see_table')}
      </Empty>
    );
  }
  if (Chart === null) return <Loading />;
  /* What is known may be a small part of what was asked for. */
  const first = averages?.steps[0]?.t ?? samples[0]?.t ?? from;
  const start = Math.max(from, first - Math.max(60000, (to - first) / 20));
  const label = topic.split('/').pop() ?? topic;
  return (
    <figure aria-label={t('history.chart', { topic: visible(topic) })}>
      <Chart
        series={drawn}
        from={start}
        to={to}
        label={visible(label)}
        onLabel={t('state.on')}
        offLabel={t('state.off')}
        lowLabel={t('history.lowest')}
        highLabel={t('history.highest')}
      />
    </figure>
  );
}

/* What is published from a moment on, while the page is open. */
function useLive(topic: string, since: number): readonly Sample[] {
  const [live, setLive] = useState<readonly Sample[]>([]);
  useEffect(() => {
    setLive([]);
    const onMessage = (m: Message) => {
      const s = liveSample(m.payload, Date.now());
      setLive((l) => [...l, s].slice(-MAX_LIVE));
    };
    return link.subscribe(topic, onMessage, undefined, false);
  }, [topic]);
  return live.filter((s) => s.t >= since);
}

function Topic({ topic, range }: { topic: string; range: Range }) {
  const { data, error, reload } = useLoad(async () => {
    const to = Date.now();
    const from = to - RANGES[range] * 1000;
    const averages = await fetchAverages(topic, range, from, to + AHEAD_MS);
    /* With averages the messages are for the table only. */
    const first = averages ? to - RECENT_MS : from;
    const recorded = await fetchHistory(topic, first, to + AHEAD_MS);
    return { from, to, averages, ...recorded };
  }, `${range} ${topic}`);
  useEvery(REFRESH_MS, () => void reload());
  useEffect(() => {
    const timer = setTimeout(() => void reload(), RECORDED_MS);
    return () => clearTimeout(timer);
  }, [topic, range]);
  const live = useLive(topic, data?.to ?? 0);
  if (error && !data) return <Failed error={error} retry={reload} />;
  if (!data) return <Loading />;
  const { from, cut, averages } = data;
  const fresh = notFetched(live, data.samples);
  const samples = fresh.length > 0 ? [...data.samples, ...fresh] : data.samples;
  const to = live.at(-1)?.t ?? data.to;
  if (samples.length === 0 && averages === null) {
    return (
      <section class="card">
        <Empty icon="history" title={t('history.nothing')} />
      </section>
    );
  }
  return (
    <>
      <section class="card">
        <div class="card-head">
          <p class="muted small">
            {averages
              ? t('history.averaged', { n: number(averages.step / 60) })
              : plural(
                  'history.samples_one',
                  'history.samples',
                  samples.length,
                )}
            {cut && ` · ${t('history.cut', { n: number(MAX_SAMPLES) })}`}
          </p>
          <a
            class="button"
            href={csvHref(topic, from, to + AHEAD_MS)}
            download={`${topic.replace(/[^\w.-]+/g, '_')}.csv`}
          >
            <Icon name="download" size={18} />
            CSV
          </a>
        </div>
        <Drawing
          topic={topic}
          samples={samples}
          averages={averages}
          from={from}
          to={to}
        />
      </section>
      <Table samples={samples} recent={averages !== null} />
    </>
  );
}

function Picker({ topics, topic, range }: {
  topics: readonly HistoryTopic[];
  topic: string;
  range: Range;
}) {
  const go = (params: { topic?: string; range?: string }) => {
    location.hash = href('history', { topic, range, ...params });
  };
  const names = topics.map((x) => x.topic);
  if (topic !== '' && !names.includes(topic)) names.unshift(topic);
  return (
    <div class="history-tools">
      <Select
        label={t('topic')}
        value={topic}
        options={names.map((n) => [n, visible(n)] as const)}
        onValue={(v) => go({ topic: v })}
      />
      <div class="segments" role="group" aria-label={t('history.range')}>
        {(Object.keys(RANGES) as Range[]).map((r) => (
          <button
            type="button"
            key={r}
            aria-pressed={r === range}
            onClick={() => go({ range: r })}
          >
            {t(`history.${r}`)}
          </button>
        ))}
      </div>
    </div>
  );
}

/* What most is known of. */
function busiest(topics: readonly HistoryTopic[]): string {
  const sorted = [...topics].sort((a, b) => b.samples - a.samples);
  return sorted[0]?.topic ?? '';
}

export function HistoryPage() {
  const { data, error, reload } = useLoad(() =>
    api.get<{ topics: HistoryTopic[] }>('/history/topics'),
  );
  const empty = data?.topics.length === 0;
  useEvery(empty ? RECORDED_MS : REFRESH_MS, () => void reload());
  const { params } = route.value;
  const asked = params.get('range') ?? '24h';
  const range = asked in RANGES ? (asked as Range) : '24h';
  const topics = data?.topics ?? [];
  const topic = params.get('topic') ?? busiest(topics);
  return (
    <>
      <Head title={t('nav.history')} text={t('about.history')} />
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!error && !data && <Loading />}
      {data && topic === '' && (
        <section class="card">
          <Empty icon="history" title={t('history.empty')}>
            {t('history.empty_text')}
          </Empty>
        </section>
      )}
      {data && topic !== '' && (
        <>
          <Picker topics={topics} topic={topic} range={range} />
          <Topic topic={topic} range={range} />
        </>
      )}
      {session.value?.admin && <HistoryPolicies />}
    </>
  );
}
