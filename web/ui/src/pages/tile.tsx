import { useState } from 'preact/hooks';
import * as api from '../data/api';
import { boards, brightness, color, onOff } from '../data/board';
import { dimTo, paint, pending, switchTo } from '../data/command';
import type { CommandError } from '../data/command';
import { linkState } from '../data/link';
import { keyOfName, ofBoard } from '../data/nodes';
import { allPins, levelFor } from '../data/pins';
import { session } from '../data/session';
import type { Tile } from '../data/tiles';
import { ago, t } from '../i18n';
import type { Key } from '../i18n';
import { Icon } from '../ui/icon';
import type { IconName } from '../ui/icon-paths';
import { href } from '../ui/route';
import { errorText } from '../ui/states';
import { toast } from '../ui/toast';
import { CoverControls, coverState } from './cover-tile';

export function commandText(e: CommandError): string {
  switch (e.kind) {
    case 'refused':
      return t('command.refused', { reason: e.reason || '?' });
    case 'forbidden':
      return e.reason
        ? t('command.forbidden_why', { reason: e.reason })
        : t('command.forbidden');
    case 'silent':
      return t('command.silent');
    case 'offline':
      return t('command.offline');
  }
}

function tell(tile: Tile, e: CommandError | null): void {
  if (e !== null) toast(`${tile.label}: ${commandText(e)}`, true);
}

/* A press of this length is a click to the board's click detection. */
const PRESS_MS = 150;

async function clickInput(tile: Tile): Promise<void> {
  const pin = tile.pin;
  if (pin === null) return;
  const on = onOff(tile.thing ?? undefined) === 'ON';
  const body =
    pin.kind === 'button'
      ? { press_ms: PRESS_MS }
      : { level: levelFor(pin, !on) };
  try {
    await api.post(
      ofBoard(`/sim/lines/${pin.line}`, keyOfName(tile.node)),
      { ...body, chip: pin.chip },
    );
  } catch (e) {
    toast(`${tile.label}: ${errorText(e)}`, true);
  }
}

function iconOf(tile: Tile, on: boolean): IconName {
  if (tile.kind === 'contact') return on ? 'open' : 'contact';
  return tile.kind;
}

/* In the counter's unit where it has one. */
function counted(tile: Tile): string {
  const count = tile.thing?.count ?? null;
  if (count === null) return t('state.unknown');
  const { per_unit = 0, unit = '' } = tile.pin ?? {};
  if (per_unit <= 0) return t('state.pulses', { n: count });
  const value = Number((count / per_unit).toPrecision(6));
  return unit ? `${value} ${unit}` : String(value);
}

/* A value with its unit; of what is or is not, words. */
function measured(tile: Tile): string {
  const value = tile.thing?.state ?? null;
  const kind = tile.device?.kind;
  if (value === null) return '–';
  if (kind === 'under_voltage' || kind === 'throttled') {
    return value === '0' ? t('state.fine') : t(`state.${kind}`);
  }
  const unit = tile.device?.measured_in ?? '';
  return unit ? `${value} ${unit}` : value;
}

/* Words for the state, in the terms of the thing. */
function stateText(tile: Tile): string {
  const s = onOff(tile.thing ?? undefined);
  if (tile.group === 'sensor') return measured(tile);
  if (tile.group === 'cover') return coverState(tile);
  if (tile.kind === 'counter') return counted(tile);
  if (s === null) return tile.thing?.state || t('state.unknown');
  const on = s === 'ON';
  switch (tile.kind) {
    case 'contact':
      return on ? t('state.open') : t('state.closed');
    case 'motion':
      return on ? t('state.motion') : t('state.still');
    case 'button':
      return on ? t('state.pressed') : t('state.released');
    default:
      return on ? t('state.on') : t('state.off');
  }
}

const EVENTS: Record<string, Key> = {
  press: 'event.pressed',
  single: 'event.single',
  double: 'event.double',
  triple: 'event.triple',
  long: 'event.long',
};

/* Of a button, what it was last used for. */
function lastEvent(tile: Tile): string {
  const e = tile.thing?.event;
  const key = e ? EVENTS[e.type] : undefined;
  if (tile.kind !== 'button' || !e || !key) return '';
  return ` · ${t(key)} ${ago(e.at)}`;
}

const isLive = (tile: Tile) =>
  linkState.value === 'online' && boards.value.get(tile.node) !== 'offline';

/* Whether a tap does something, and what. */
function actionOf(tile: Tile): 'switch' | 'sim' | null {
  if (!isLive(tile)) return null;
  if (tile.group === 'out' || tile.group === 'light') {
    return onOff(tile.thing ?? undefined) === null ? null : 'switch';
  }
  const simulated =
    allPins.value.get(keyOfName(tile.node))?.backend === 'sim' &&
    session.value?.admin;
  return tile.group === 'in' && tile.pin && simulated ? 'sim' : null;
}

function Dimmer({ tile }: { tile: Tile }) {
  const level = brightness(tile.thing ?? undefined);
  const [dragged, setDragged] = useState<number | null>(null);
  if (tile.group !== 'light' || level === null || tile.thing === null) {
    return null;
  }
  const thing = tile.thing;
  const shown = dragged ?? level;
  const hue = color(thing);
  return (
    <>
      {hue !== null && (
        <input
          class="tile-color"
          type="color"
          value={hue}
          disabled={actionOf(tile) === null}
          aria-label={t('tile.color', { name: tile.label })}
          onChange={async (e) => tell(tile, await paint(thing, e.currentTarget.value))}
        />
      )}
      <input
        class="tile-dimmer"
        type="range"
        min={1}
        max={255}
        value={shown}
        disabled={actionOf(tile) === null}
        aria-label={t('tile.brightness', { name: tile.label })}
        aria-valuetext={`${Math.round((shown / 255) * 100)} %`}
        onInput={(e) => setDragged(Number(e.currentTarget.value))}
        onChange={async (e) => {
          tell(tile, await dimTo(thing, Number(e.currentTarget.value)));
          setDragged(null);
        }}
      />
    </>
  );
}

function Face({ tile, busy }: { tile: Tile; busy: boolean }) {
  const on = onOff(tile.thing ?? undefined) === 'ON';
  const offline = boards.value.get(tile.node) === 'offline';
  /* A switch has a position only where the board told one. */
  const hasKnob =
    (tile.group === 'out' || tile.group === 'light') &&
    onOff(tile.thing ?? undefined) !== null;
  return (
    <>
      <span class="tile-top">
        <span class="tile-icon">
          <Icon name={iconOf(tile, on)} size={22} />
        </span>
        {hasKnob && <span class={busy ? 'knob knob-busy' : 'knob'} />}
      </span>
      <span class="tile-name">{tile.label}</span>{' '}
      <span class="tile-state">
        {busy ? t('state.pending') : stateText(tile)}
        {!busy && lastEvent(tile)}
        {offline && <span class="tile-offline">{t('state.offline')}</span>}
        {tile.fault && <span class="tile-offline">{tile.fault}</span>}
      </span>
    </>
  );
}

/* The state shown is the one the board published. A tap only marks the tile
 * as waiting; the board's answer changes it. */
export function TileView({ tile }: { tile: Tile }) {
  const busy = pending.value.has(tile.key);
  const on = onOff(tile.thing ?? undefined) === 'ON';
  const action = actionOf(tile);
  const face = <Face tile={tile} busy={busy} />;
  const isOutput = tile.group === 'out' || tile.group === 'light';

  const press = async () => {
    if (busy || action === null) return;
    if (action === 'sim') await clickInput(tile);
    else if (tile.thing) {
      tell(tile, await switchTo(tile.thing, on ? 'OFF' : 'ON'));
    }
  };

  return (
    <li
      class={`tile tile-${tile.kind}${on ? ' tile-on' : ''}`}
      data-topic={tile.key}
    >
      {isOutput ? (
        <button
          type="button"
          class="tile-main"
          role="switch"
          aria-checked={on}
          aria-busy={busy}
          aria-disabled={action === null}
          onClick={press}
        >
          {face}
        </button>
      ) : action === 'sim' ? (
        <button type="button" class="tile-main" onClick={press}>
          {face}
        </button>
      ) : (
        <div class="tile-main">{face}</div>
      )}
      <Dimmer tile={tile} />
      <CoverControls tile={tile} live={isLive(tile)} tell={(e) => tell(tile, e)} />
      <a
        class="tile-history"
        href={href('history', { topic: tile.key })}
        aria-label={t('tile.history', { name: tile.label })}
        title={t('tile.history', { name: tile.label })}
      >
        <Icon name="clock" size={16} />
      </a>
    </li>
  );
}
