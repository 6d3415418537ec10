/* The card of sensors and other devices on the page of the pins. */
import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Pins } from '../data/api';
import { onOff, thingKey, things } from '../data/board';
import { devices, groupOfDevice, loadDevices, newDevice } from '../data/devices';
import type { Device } from '../data/devices';
import { chosen, chosenName, ofBoard } from '../data/nodes';
import { loadPins } from '../data/pins';
import { session } from '../data/session';
import { prettyName } from '../data/tiles';
import { t } from '../i18n';
import { Confirm } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { RowActions } from '../ui/row-actions';
import { Empty, errorText, Failed, useLoad } from '../ui/states';
import { toast } from '../ui/toast';
import { coverText } from './cover-tile';
import { DeviceEditor } from './device-editor';

interface Editing {
  device: Device;
  isNew: boolean;
}

interface RowProps {
  device: Device;
  fault: string | undefined;
  onEdit: () => void;
  onRemove: () => void;
}

function DeviceRow({ device, fault, onEdit, onRemove }: RowProps) {
  const group = groupOfDevice(device);
  const key = thingKey(chosenName(), group, device.name);
  const value = things.value.get(key)?.state;
  const label = device.label || prettyName(device.name);
  return (
    <li class="row">
      <span class="row-icon">
        <Icon name={group} />
      </span>
      <span class="row-main">
        <strong>{label}</strong>
        <span class="muted small">
          {t(`device.${device.kind}`)}
          {device.source && ` · ${device.source}`}
          {` · ${device.room || t('pins.no_room')}`}
        </span>
        {fault && <span class="bad small">{fault}</span>}
      </span>
      {value && (
        <span class="chip">
          {group === 'cover' && coverText(value)}
          {group === 'light' &&
            t(onOff(things.value.get(key)) === 'ON' ? 'state.on' : 'state.off')}
          {group === 'sensor' && `${value} ${device.measured_in}`}
        </span>
      )}
      {session.value?.admin && (
        <RowActions what={label} onEdit={onEdit} onRemove={onRemove} />
      )}
    </li>
  );
}

export function DevicesCard({ data }: { data: Pins }) {
  const { error, reload } = useLoad(() => loadDevices(), chosen.value);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [removing, setRemoving] = useState<Device | null>(null);
  const admin = session.value?.admin ?? false;
  const faults = new Map(data.errors.map((e) => [e.pin, e.message]));
  const known = devices.value;

  /* The report on the change comes with the pins. */
  const changed = () => {
    void reload();
    void loadPins().catch(() => {});
  };
  const doRemove = async (device: Device) => {
    try {
      await api.remove(ofBoard(`/devices/${api.enc(device.name)}`));
    } catch (e) {
      toast(errorText(e), true);
    }
    setRemoving(null);
    changed();
  };
  return (
    <section class="card" aria-label={t('devices.title')}>
      <h2>{t('devices.title')}</h2>
      {error !== null && !known && <Failed error={error} retry={reload} />}
      {known?.devices.length === 0 && (
        <Empty icon="sensor" title={t('devices.empty')} />
      )}
      <ul class="rows">
        {known?.devices.map((device) => (
          <DeviceRow
            key={device.name}
            device={device}
            fault={faults.get(device.name)}
            onEdit={() => setEditing({ device, isNew: false })}
            onRemove={() => setRemoving(device)}
          />
        ))}
      </ul>
      {admin && known && (
        <button
          type="button"
          class="button"
          onClick={() => setEditing({ device: newDevice(), isNew: true })}
        >
          <Icon name="add" size={18} />
          {t('devices.add')}
        </button>
      )}
      {editing && (
        <DeviceEditor
          {...editing}
          sources={known?.sources ?? []}
          onClose={() => setEditing(null)}
          onSaved={() => {
            setEditing(null);
            changed();
          }}
        />
      )}
      {removing && (
        <Confirm
          title={t('devices.delete')}
          text={t('devices.delete_sure', {
            name: removing.label || removing.name,
          })}
          action={t('delete')}
          onConfirm={() => doRemove(removing)}
          onClose={() => setRemoving(null)}
        />
      )}
    </section>
  );
}
