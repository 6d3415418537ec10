import type { Pins } from '../data/api';
import { onOff, thingKey, things } from '../data/board';
import { HEADER } from '../data/header';
import type { HeaderPin } from '../data/header';
import { chosenName } from '../data/nodes';
import { groupOf } from '../data/pins';
import { riskText } from '../data/risk';
import { t } from '../i18n';

type Look = 'power' | 'ground' | 'free' | 'taken' | 'in' | 'out' | 'risky';

interface Shown {
  look: Look;
  text: string;
  on: boolean;
  /* What the text does not say. */
  more: string;
}

function fixed(p: HeaderPin): Shown {
  const look = p.name === 'GND' ? 'ground' : 'power';
  return { look, text: p.name, on: false, more: '' };
}

function describe(p: HeaderPin, data: Pins): Shown {
  const line = data.lines.find((l) => l.line === p.line);
  const pin = data.pins.find((x) => x.line === p.line && !x.chip);
  if (pin) {
    const key = thingKey(chosenName(), groupOf(pin), pin.name);
    const text = pin.label || pin.name;
    const on = onOff(things.value.get(key)) === 'ON';
    return { look: pin.dir, text, on, more: p.name };
  }
  if (line?.used) {
    const text = line.consumer || t('pins.taken_short');
    return { look: 'taken', text, on: false, more: p.name };
  }
  const look = line?.risk ? 'risky' : 'free';
  const note = (line && riskText(line)) || t('pins.free');
  return { look, text: p.name, on: false, more: note };
}

function Pad({ p, shown, onLine }: {
  p: HeaderPin;
  shown: Shown;
  onLine: ((line: number) => void) | null;
}) {
  const side = p.pin % 2 === 1 ? 'left' : 'right';
  const classes = `pad pad-${side} pad-${shown.look}${shown.on ? ' pad-on' : ''}`;
  const content = (
    <>
      <bdi class="pad-name">{shown.text}</bdi>
      <span class="pad-hole">{p.pin}</span>
      <span class="sr-only">{shown.more}</span>
    </>
  );
  const line = p.line;
  if (line === null || onLine === null) {
    return (
      <li class={classes} title={shown.more}>
        <span class="pad-inner">{content}</span>
      </li>
    );
  }
  return (
    <li class={classes}>
      <button
        type="button"
        class="pad-inner"
        title={shown.more}
        onClick={() => onLine(line)}
      >
        {content}
      </button>
    </li>
  );
}

const LEGEND: readonly Look[] = ['out', 'in', 'free', 'risky', 'taken', 'power'];

/* The header as it lies in front of you, pin 1 at the top left. */
export function HeaderView({ data, onLine }: {
  data: Pins;
  onLine: ((line: number) => void) | null;
}) {
  return (
    <>
      <ol class="header">
        {HEADER.map((p) => (
          <Pad
            key={p.pin}
            p={p}
            shown={p.line === null ? fixed(p) : describe(p, data)}
            onLine={onLine}
          />
        ))}
      </ol>
      <ul class="legend">
        {LEGEND.map((look) => (
          <li key={look} class={`pad-${look}`}>
            <span class="pad-hole" />
            {t(`pins.legend_${look as 'out'}`)}
          </li>
        ))}
      </ul>
    </>
  );
}
