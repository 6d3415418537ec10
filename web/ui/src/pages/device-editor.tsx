import { useState } from 'preact/hooks';
import * as api from '../data/api';
import { CHECKS, CHOICES, DEVICE_KINDS, FIELDS, isText, withKind } from '../data/devices';
import type { Device, DeviceField, Source } from '../data/devices';
import { ofBoard } from '../data/nodes';
import { pins } from '../data/pins';
import { t } from '../i18n';
import type { Key } from '../i18n';
import { Dialog } from '../ui/dialog';
import {
  Check,
  FormActions,
  FormError,
  Select,
  Text,
  useSubmit,
} from '../ui/form';
import { NameFields } from './name-fields';

interface FieldProps {
  device: Device;
  field: DeviceField;
  sources: readonly Source[];
  change: (c: Partial<Device>) => void;
  error: string | undefined;
}

function DeviceText({ device, field, sources, change, error }: FieldProps) {
  const value = device[field];
  const offered = field === 'source' || field === 'outputs';
  return (
    <>
      <Text
        label={t(`devices.${field}` as Key)}
        hint={t(`devices.${field}_hint` as Key)}
        error={error}
        type={isText(field) ? 'text' : 'number'}
        value={value === undefined || Number.isNaN(value as number) ? '' : String(value)}
        onValue={(v) =>
          change({ [field]: isText(field) ? v : v === '' ? NaN : Number(v) })
        }
        {...(offered ? { list: 'sources', mono: true } : {})}
      />
      {offered && (
        <datalist id="sources">
          {sources
            .filter((s) => s.kind === device.kind)
            .map((s) => (
              <option key={s.source} value={s.source} />
            ))}
        </datalist>
      )}
    </>
  );
}

interface EditorProps {
  device: Device;
  isNew: boolean;
  sources: readonly Source[];
  onClose: () => void;
  onSaved: () => void;
}

/* One of the outputs that are set up. */
function DeviceOutput({ device, field, change, error }: FieldProps) {
  const outputs = pins.value?.pins.filter((p) => p.dir === 'out') ?? [];
  return (
    <Select
      label={t(`devices.${field}` as Key)}
      hint={t(`devices.${field}_hint` as Key)}
      error={error}
      value={String(device[field] ?? '')}
      options={[
        ['', t('pins.target_none')],
        ...outputs.map((p) => [p.name, p.label || p.name] as const),
      ]}
      onValue={(v) => change({ [field]: v })}
    />
  );
}

function DeviceChoice({ device, field, change, error }: FieldProps) {
  const words = CHOICES[field as keyof typeof CHOICES];
  const name = field as 'safe' | 'boot';
  return (
    <Select
      label={t(`pins.${name}`)}
      error={error}
      value={String(device[field])}
      options={words.map((w) => [w, t(`pins.${name}_${w}` as Key)] as const)}
      onValue={(v) => change({ [field]: v })}
    />
  );
}

function DeviceCheck({ device, field, change }: FieldProps) {
  return (
    <Check
      label={t(`devices.${field}` as Key)}
      value={device[field] === true}
      onValue={(v) => change({ [field]: v })}
    />
  );
}

function formFor(field: DeviceField) {
  if (field === 'up' || field === 'down') return DeviceOutput;
  if (field in CHOICES) return DeviceChoice;
  return CHECKS.includes(field) ? DeviceCheck : DeviceText;
}

export function DeviceEditor(props: EditorProps) {
  const { device: start, isNew, sources, onClose, onSaved } = props;
  const [device, setDevice] = useState(start);
  const change = (c: Partial<Device>) => setDevice((d) => ({ ...d, ...c }));
  const { busy, submit, fields, message } = useSubmit(async () => {
    const { name, measured_in: _unit, ...body } = device;
    await api.put(ofBoard(`/devices/${api.enc(name || '-')}`), body);
    onSaved();
  });
  return (
    <Dialog
      title={
        isNew ? t('devices.add') : t('edit_what', { what: start.label || start.name })
      }
      onClose={onClose}
    >
      <form onSubmit={submit} noValidate>
        <Select
          label={t('devices.kind')}
          value={device.kind}
          options={DEVICE_KINDS.map((k) => [k, t(`device.${k}`)] as const)}
          error={fields.kind}
          onValue={(kind) => setDevice((d) => withKind(d, kind))}
        />
        <NameFields
          thing={device}
          {...{ isNew, change }}
          problem={(field) => fields[field]}
        >
          {FIELDS[device.kind].map((field) => {
            const Field = formFor(field);
            return (
              <Field
                key={field}
                {...{ device, field, sources, change }}
                error={fields[field]}
              />
            );
          })}
        </NameFields>
        <FormError text={message} />
        <FormActions busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}
