import { useEffect, useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Line, Pin, Pins } from '../data/api';
import { onOff, thingKey, things } from '../data/board';
import { headerPin } from '../data/header';
import { chosen, chosenName, ofBoard } from '../data/nodes';
import { groupOf, lineKey, loadPins, pins } from '../data/pins';
import { riskText } from '../data/risk';
import { session } from '../data/session';
import { prettyName } from '../data/tiles';
import { t } from '../i18n';
import { Confirm } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { RowActions } from '../ui/row-actions';
import { Head } from '../ui/shell';
import { Empty, errorText, Failed, Loading, useLoad } from '../ui/states';
import { toast } from '../ui/toast';
import { Boards } from './boards';
import { DevicesCard } from './devices';
import { HeaderView } from './pin-header';
import { ConfigTxt } from './pin-power-up';
import { newPin, PinEditor } from './pin-editor';
import { Simulator, useSimulator } from './simulator';

/* How soon to ask again for a report that is still to come. */
const REPORT_MS = 400;

interface Editing {
  pin: Pin;
  isNew: boolean;
}

function PinRow({ pin, fault, onEdit, onRemove }: {
  pin: Pin;
  fault: string | undefined;
  onEdit: () => void;
  onRemove: () => void;
}) {
  const key = thingKey(chosenName(), groupOf(pin), pin.name);
  const state = onOff(things.value.get(key));
  const label = pin.label || prettyName(pin.name);
  const at = pin.chip ? null : (pin.pin ?? headerPin(pin.line));
  return (
    <li class="row">
      <span class={`row-icon${state === 'ON' ? ' row-icon-on' : ''}`}>
        <Icon name={pin.kind} />
      </span>
      <span class="row-main">
        <strong>{label}</strong>
        <span class="muted small">
          {pin.chip ? lineKey(pin.chip, pin.line) : `GPIO${pin.line}`}
          {at !== null && ` · ${t('pins.pin_n', { n: at })}`}
          {` · ${t(`pins.dir_${pin.dir}`)} · ${pin.room || t('pins.no_room')}`}
        </span>
        {fault && <span class="bad small">{fault}</span>}
      </span>
      {state && (
        <span class="chip">{t(state === 'ON' ? 'state.on' : 'state.off')}</span>
      )}
      {session.value?.admin && (
        <RowActions what={label} onEdit={onEdit} onRemove={onRemove} />
      )}
    </li>
  );
}

/* Who holds a line, in words. */
function holder(line: Line): string {
  if (line.configured) return t('pins.ours', { name: line.configured });
  if (line.used) return t('pins.taken', { who: line.consumer || '?' });
  return t('pins.free');
}

function LineTable({ lines }: { lines: readonly Line[] }) {
  return (
    <details class="card samples">
      <summary>{t('pins.all_lines')}</summary>
      <div class="table-box" tabIndex={0} role="region" aria-label={t('pins.all_lines')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('pins.line')}</th>
              <th scope="col">{t('pins.header_pin')}</th>
              <th scope="col">{t('pins.holder')}</th>
              <th scope="col">{t('pins.functions')}</th>
              <th scope="col">{t('pins.note')}</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((l) => (
              <tr key={l.line}>
                <td class="mono">{l.name}</td>
                <td>{l.pin ?? '–'}</td>
                <td>{holder(l)}</td>
                <td>{l.functions.join(', ')}</td>
                <td>{riskText(l)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function Content({ data, reload }: { data: Pins; reload: () => void }) {
  const [editing, setEditing] = useState<Editing | null>(null);
  const [removing, setRemoving] = useState<Pin | null>(null);
  const sim = useSimulator(data);
  const admin = session.value?.admin ?? false;
  const faults = new Map(data.errors.map((e) => [e.pin, e.message]));

  const onLine = (line: number) => {
    const pin = data.pins.find((p) => p.line === line && !p.chip);
    if (pin) setEditing({ pin, isNew: false });
    else setEditing({ pin: newPin(line), isNew: true });
  };
  const onTap = sim.operated ? sim.onLine : onLine;
  const doRemove = async (pin: Pin) => {
    try {
      await api.remove(ofBoard(`/pins/${api.enc(pin.name)}`));
    } catch (e) {
      toast(errorText(e), true);
    }
    setRemoving(null);
    reload();
  };
  return (
    <div class="pins">
      <section class="card" aria-label={t('pins.header')}>
        <h2>{data.board?.name ?? t('pins.header')}</h2>
        <HeaderView data={data} onLine={admin ? onTap : null} />
      </section>
      <div class="pins-side">
        <section class="card" aria-label={t('pins.configured')}>
          <h2>{t('pins.configured')}</h2>
          {data.pins.length === 0 && (
            <Empty icon="pins" title={t('pins.empty')}>
              {admin && t('pins.empty_text')}
            </Empty>
          )}
          <ul class="rows">
            {data.pins.map((pin) => (
              <PinRow
                key={pin.name}
                pin={pin}
                fault={faults.get(pin.name)}
                onEdit={() => setEditing({ pin, isNew: false })}
                onRemove={() => setRemoving(pin)}
              />
            ))}
          </ul>
        </section>
        {admin && data.backend === 'sim' && (
          <Simulator data={data} sim={sim} reload={reload} />
        )}
        <DevicesCard data={data} />
        <ConfigTxt data={data} />
        <LineTable lines={data.lines} />
      </div>
      {editing && (
        <PinEditor
          {...editing}
          data={data}
          onClose={() => setEditing(null)}
          onSaved={() => {
            setEditing(null);
            reload();
          }}
        />
      )}
      {removing && (
        <Confirm
          title={t('pins.delete')}
          text={t('pins.delete_sure', { name: removing.label || removing.name })}
          action={t('delete')}
          onConfirm={() => doRemove(removing)}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  );
}

export function PinsPage() {
  const { error, reload } = useLoad(() => loadPins(), chosen.value);
  const [adding, setAdding] = useState(false);
  const data = pins.value;
  useEffect(() => {
    if (!data?.pending) return undefined;
    const timer = setTimeout(() => void reload(), REPORT_MS);
    return () => clearTimeout(timer);
  }, [data]);
  const text = data?.backend === 'sim' ? t('pins.simulated') : t('about.pins');
  return (
    <>
      <Head title={t('nav.pins')} text={text}>
        {data && session.value?.admin && (
          <button
            type="button"
            class="button button-main"
            onClick={() => setAdding(true)}
          >
            <Icon name="add" size={18} />
            {t('pins.add')}
          </button>
        )}
      </Head>
      <Boards reload={reload} />
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Loading />}
      {data && <Content key={chosen.value} data={data} reload={reload} />}
      {data && adding && (
        <PinEditor
          pin={newPin(null)}
          isNew
          data={data}
          onClose={() => setAdding(false)}
          onSaved={() => {
            setAdding(false);
            void reload();
          }}
        />
      )}
    </>
  );
}
