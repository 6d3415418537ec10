import { useEffect } from 'preact/hooks';
import { onOff, settled, things } from '../data/board';
import { allDevices, loadDevices } from '../data/devices';
import { linkState } from '../data/link';
import { keyOf, loadNodes, nodes } from '../data/nodes';
import { allPins, loadPins } from '../data/pins';
import { session } from '../data/session';
import { rooms } from '../data/tiles';
import type { Room, SetUp } from '../data/tiles';
import { plural, t } from '../i18n';
import { Icon } from '../ui/icon';
import { href } from '../ui/route';
import { Empty, Loading } from '../ui/states';
import { TileView } from './tile';

function greeting(hour: number): string {
  if (hour < 5) return t('home.night');
  if (hour < 12) return t('home.morning');
  if (hour < 18) return t('home.afternoon');
  return t('home.evening');
}

/* One line that answers "is something still on?". */
function summary(list: readonly Room[]): string {
  const tiles = list.flatMap((r) => r.tiles);
  const on = (kind: string) =>
    tiles.filter((x) => x.kind === kind && onOff(x.thing ?? undefined) === 'ON')
      .length;
  const parts: string[] = [];
  if (tiles.some((x) => x.kind === 'light')) {
    parts.push(plural('home.lights_one', 'home.lights', on('light')));
  }
  if (tiles.some((x) => x.kind === 'relay')) {
    parts.push(plural('home.relays_one', 'home.relays', on('relay')));
  }
  return parts.join(' · ');
}

function RoomView({ room }: { room: Room }) {
  const name = room.name || t('home.elsewhere');
  return (
    <section
      class={`room room-${Math.min(room.tiles.length, 4)}`}
      aria-label={name}
    >
      <h2>{name}</h2>
      <ul class="tiles">
        {room.tiles.map((tile) => (
          <TileView key={tile.key} tile={tile} />
        ))}
      </ul>
    </section>
  );
}

function Nothing() {
  return (
    <Empty icon="home" title={t('home.empty')}>
      {session.value?.admin ? (
        <a class="button" href={href('pins')}>
          {t('home.add_pins')}
        </a>
      ) : (
        t('home.ask_owner')
      )}
    </Empty>
  );
}

function loadSetUp(key: string): void {
  void loadPins(key).catch(() => {});
  void loadDevices(key).catch(() => {});
}

function setUp(key: string, own: string): SetUp {
  const pins = allPins.value.get(key);
  return {
    node: key || own,
    pins: pins?.pins ?? [],
    errors: pins?.errors ?? [],
    devices: allDevices.value.get(key)?.devices ?? [],
  };
}

export function HomePage() {
  /* Names and rooms are nice to have; the states come over MQTT. */
  useEffect(() => {
    loadSetUp('');
    void loadNodes()
      .then((all) => all.nodes.map(keyOf).filter(Boolean).forEach(loadSetUp))
      .catch(() => {});
  }, []);
  const own = session.value?.node ?? '';
  const p = allPins.value.get('');
  const keys = ['', ...(nodes.value?.nodes ?? []).map(keyOf).filter(Boolean)];
  const list = rooms(
    own,
    keys.map((key) => setUp(key, own)),
    things.value,
  );
  const waiting = !settled.value && list.length === 0;
  return (
    <>
      <div class="head hello">
        <div>
          <h1>{greeting(new Date().getHours())}</h1>
          <p class="muted">{things.value.size > 0 ? summary(list) : '\u00a0'}</p>
        </div>
      </div>
      {p?.backend === 'sim' && (
        <p class="sim-note">
          <Icon name="info" size={18} />
          {t('home.simulated')}
        </p>
      )}
      {waiting && linkState.value !== 'offline' && <Loading />}
      {!waiting && list.length === 0 && <Nothing />}
      <div class="rooms">
        {list.map((room) => (
          <RoomView
            key={`${room.tiles[0]?.pin ? 'room' : 'node'} ${room.name}`}
            room={room}
          />
        ))}
      </div>
    </>
  );
}
