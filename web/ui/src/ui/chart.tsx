/* The only user of uPlot; loaded when a chart is looked at. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Series } from '../data/history';
import { language } from '../i18n';
import { theme } from './theme';

const HEIGHT = 300;

interface ChartProps {
  series: Series;
  from: number;
  to: number;
  label: string;
  onLabel: string;
  offLabel: string;
  lowLabel: string;
  highLabel: string;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

/* The CSS colour as the canvas understands it: light-dark() resolved. */
function resolved(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const c = getComputedStyle(probe).color;
  probe.remove();
  return c || colour(name);
}

function dates(): uPlot.DateNames {
  const l = language.value;
  const name = (options: Intl.DateTimeFormatOptions, d: Date) =>
    new Intl.DateTimeFormat(l, options).format(d);
  const months = [...Array(12).keys()].map((m) => new Date(2023, m, 1));
  const days = [...Array(7).keys()].map((d) => new Date(2023, 0, 1 + d));
  return {
    MMMM: months.map((d) => name({ month: 'long' }, d)),
    MMM: months.map((d) => name({ month: 'short' }, d)),
    WWWW: days.map((d) => name({ weekday: 'long' }, d)),
    WWW: days.map((d) => name({ weekday: 'short' }, d)),
  };
}

/* 24-hour times and the day before the month, whatever the zoom. */
function tick(scale: number, seconds: number): string {
  const options: Intl.DateTimeFormatOptions =
    scale >= 86400
      ? { month: 'short', day: 'numeric' }
      : { hour: '2-digit', minute: '2-digit', hour12: false };
  if (scale < 60) options.second = '2-digit';
  return new Intl.DateTimeFormat(language.value, options).format(
    seconds * 1000,
  );
}

/* Between the lowest and the highest of each average. */
function bandSeries(p: ChartProps, colour: string): uPlot.Series[] {
  const edge = { stroke: colour, width: 1, points: { show: false } };
  return [
    { label: p.highLabel, ...edge },
    { label: p.lowLabel, ...edge },
  ];
}

function options(p: ChartProps, width: number): uPlot.Options {
  const text = resolved('--muted');
  const grid = resolved('--line');
  const accent = resolved('--accent');
  const axis = {
    stroke: text,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const states = (_: uPlot, v: number[]) =>
    v.map((x) => (x === 1 ? p.onLabel : x === 0 ? p.offLabel : ''));
  return {
    width,
    height: HEIGHT,
    fmtDate: (template) => uPlot.fmtDate(template, dates()),
    cursor: { points: { size: 8 }, y: false },
    legend: { show: true },
    scales: {
      x: { min: p.from / 1000, max: p.to / 1000 },
      y: p.series.steps ? { range: [-0.1, 1.15] } : {},
    },
    axes: [
      {
        ...axis,
        values: (_, splits, __, ___, scale) =>
          splits.map((s) => tick(scale, s)),
      },
      {
        ...axis,
        size: 56,
        ...(p.series.steps ? { splits: [0, 1], values: states } : {}),
      },
    ],
    series: [
      { value: '{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}', label: '' },
      {
        label: p.label,
        stroke: accent,
        width: 2,
        fill: p.series.band ? 'transparent' : (u) => {
          const { top, height } = u.bbox;
          /* Asked once before anything is laid out. */
          if (!Number.isFinite(top + height)) return 'transparent';
          const g = u.ctx.createLinearGradient(0, top, 0, top + height);
          const clear = accent.replace(/^rgb\((.*)\)$/, 'rgba($1, 0)');
          const half = accent.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.28)');
          g.addColorStop(0, half);
          g.addColorStop(1, clear);
          return g;
        },
        points: { show: p.series.times.length < 120, size: 5 },
        ...(p.series.steps ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
        ...(p.series.steps
          ? {
              value: (_: uPlot, v: number | null) =>
                v === null ? '–' : v === 1 ? p.onLabel : p.offLabel,
            }
          : {}),
      },
      ...(p.series.band ? bandSeries(p, text) : []),
    ],
    ...(p.series.band
      ? { bands: [{ series: [2, 3] as [number, number], fill: grid }] }
      : {}),
  };
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const look = `${theme.value} ${language.value}`;
  useEffect(() => {
    const el = box.current;
    if (el === null) return;
    let plot: uPlot | null = null;
    const draw = () => {
      plot?.destroy();
      const { times, values, band } = props.series;
      const data: uPlot.AlignedData = band
        ? [times, values, band.high, band.low]
        : [times, values];
      plot = new uPlot(options(props, el.clientWidth), data, el);
    };
    draw();
    const resize = new ResizeObserver(() => {
      plot?.setSize({ width: el.clientWidth, height: HEIGHT });
    });
    resize.observe(el);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      dark.removeEventListener('change', draw);
      resize.disconnect();
      plot?.destroy();
    };
  }, [props.series, props.from, props.to, props.label, look]);
  return <div ref={box} class="chart" />;
}
