import { useState } from 'preact/hooks';
import { moveTo } from '../data/command';
import type { CommandError } from '../data/command';
import type { Tile } from '../data/tiles';
import { t } from '../i18n';
import type { Key } from '../i18n';
import { Icon } from '../ui/icon';

const STATES: Record<string, Key> = {
  open: 'cover.open',
  closed: 'cover.closed',
  opening: 'cover.opening',
  closing: 'cover.closing',
  stopped: 'cover.stopped',
};

/* What a cover published, in words. */
export function coverText(state: string): string {
  const key = STATES[state];
  return key ? t(key) : state;
}

/* With its position, where it is known and says more. */
export function coverState(tile: Tile): string {
  const { state = null, position = null } = tile.thing ?? {};
  if (state === null) return t('state.unknown');
  return position === null || position === 0 || position === 100
    ? coverText(state)
    : `${coverText(state)} · ${position} %`;
}

interface Props {
  tile: Tile;
  live: boolean;
  tell: (e: CommandError | null) => void;
}

export function CoverControls({ tile, live, tell }: Props) {
  const [dragged, setDragged] = useState<number | null>(null);
  if (tile.thing === null || tile.group !== 'cover') return null;
  const thing = tile.thing;
  const shown = dragged ?? thing.position ?? 0;
  const button = (wish: 'OPEN' | 'STOP' | 'CLOSE', label: Key) => (
    <button
      type="button"
      class="icon-button"
      disabled={!live}
      aria-label={t(label, { name: tile.label })}
      title={t(label, { name: tile.label })}
      onClick={async () => tell(await moveTo(thing, wish))}
    >
      <Icon
        name={wish === 'OPEN' ? 'up' : wish === 'STOP' ? 'stop' : 'down'}
        size={20}
      />
    </button>
  );
  return (
    <>
      <div class="cover-buttons">
        {button('OPEN', 'cover.do_open')}
        {button('STOP', 'cover.do_stop')}
        {button('CLOSE', 'cover.do_close')}
      </div>
      <input
        class="tile-dimmer"
        type="range"
        min={0}
        max={100}
        value={shown}
        disabled={!live}
        aria-label={t('cover.position', { name: tile.label })}
        aria-valuetext={`${shown} %`}
        onInput={(e) => setDragged(Number(e.currentTarget.value))}
        onChange={async (e) => {
          tell(await moveTo(thing, Number(e.currentTarget.value)));
          setDragged(null);
        }}
      />
    </>
  );
}
