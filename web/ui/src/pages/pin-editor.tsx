import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Line, Pin, PinKind, Pins } from '../data/api';
import { headerPin } from '../data/header';
import { ofBoard } from '../data/nodes';
import { lineFromKey, lineKey, lineOf } from '../data/pins';
import { riskText } from '../data/risk';
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
import { Icon } from '../ui/icon';
import { NameFields } from './name-fields';
import { NO_INPUT, NO_METER, NO_TARGET, PinInputFields } from './pin-input';
import { PowerUp } from './pin-power-up';
import { NO_RULES, PinRulesFields } from './pin-rules';

const OUT_KINDS: readonly PinKind[] = ['light', 'relay'];
const IN_KINDS: readonly PinKind[] = [
  'switch',
  'button',
  'contact',
  'motion',
  'counter',
];
const BIASES = ['up', 'down', 'none', 'as_is'] as const;
const SAFES = ['off', 'on', 'hold'] as const;
/* How nearly every button and contact is wired. */
const TO_GROUND = { bias: 'up', active_low: true, debounce_ms: 20 } as const;
/* Longest time a bouncing contact can need. */
const MAX_DEBOUNCE_MS = 10000;
/* Bytes of a label or a room, as the server's gpio/pins.h. */
const MAX_TEXT = 64;

export function newPin(line: number | null): Pin {
  return {
    name: '',
    dir: 'out',
    chip: null,
    line: line ?? -1,
    bias: 'as_is',
    active_low: false,
    debounce_ms: 0,
    safe: 'off',
    kind: 'relay',
    label: '',
    room: '',
    ...NO_RULES,
    ...NO_INPUT,
  };
}

/* What is wrong, before the server is asked; it checks again. */
export function pinProblems(
  pin: Pin,
  isNew: boolean,
  others: readonly Pin[],
): Record<string, Key> {
  const bad: Record<string, Key> = {};
  if (!/^[a-z0-9_-]{1,32}$/.test(pin.name)) bad.name = 'pins.bad_name';
  else if (isNew && others.some((p) => p.name === pin.name)) {
    bad.name = 'pins.name_taken';
  }
  for (const field of ['label', 'room'] as const) {
    if (new TextEncoder().encode(pin[field]).length > MAX_TEXT) {
      bad[field] = 'pins.bad_text';
    }
  }
  if (pin.line < 0) bad.line = 'pins.bad_line';
  const wrong =
    !Number.isInteger(pin.debounce_ms) ||
    pin.debounce_ms < 0 ||
    pin.debounce_ms > MAX_DEBOUNCE_MS;
  if (wrong) bad.debounce_ms = 'pins.bad_debounce';
  return bad;
}

function lineText(l: Line, chip: string | null): string {
  const at = chip ? null : (l.pin ?? headerPin(l.line));
  const name = chip ? `${lineKey(chip, l.line)} ${l.name}`.trim() : l.name;
  const where = at === null ? name : `${name} · ${t('pins.pin_n', { n: at })}`;
  if (l.configured) return `${where} – ${l.configured}`;
  if (l.used) return `${where} – ${l.consumer || t('pins.taken_short')}`;
  return where;
}

/* Who else has the line, or why one should think twice. */
function lineNote(pin: Pin, isNew: boolean, data: Pins): string | undefined {
  const l = lineOf(pin, data);
  if (!l) return undefined;
  if (l.configured && (isNew || l.configured !== pin.name)) {
    return t('pins.conflict', { who: l.configured });
  }
  if (l.used && !l.configured) {
    return t('pins.conflict', { who: l.consumer || '?' });
  }
  return riskText(l) || undefined;
}

function DirectionFields({ pin, change }: {
  pin: Pin;
  change: (c: Partial<Pin>) => void;
}) {
  const kinds = pin.dir === 'out' ? OUT_KINDS : IN_KINDS;
  return (
    <>
      <div class="form-grid">
        <Select
          label={t('pins.direction')}
          value={pin.dir}
          options={[
            ['out', t('pins.dir_out')],
            ['in', t('pins.dir_in')],
          ]}
          onValue={(dir) =>
            change(
              dir === 'out'
                ? { dir, kind: 'relay', bias: 'as_is', debounce_ms: 0, ...NO_INPUT }
                : { dir, kind: 'button', ...TO_GROUND, ...NO_RULES },
            )
          }
        />
        <Select
          label={t('pins.kind')}
          value={pin.kind}
          options={kinds.map((k) => [k, t(`kind.${k}`)] as const)}
          onValue={(kind) =>
            change(kind === 'counter' ? { kind, ...NO_TARGET } : { kind, ...NO_METER })
          }
        />
      </div>
      {pin.dir === 'in' ? (
        <div class="form-grid">
          <Select
            label={t('pins.bias')}
            value={pin.bias}
            options={BIASES.map((b) => [b, t(`pins.bias_${b}`)] as const)}
            onValue={(bias) => change({ bias })}
          />
          <Text
            label={t('pins.debounce')}
            type="number"
            min={0}
            max={MAX_DEBOUNCE_MS}
            value={Number.isNaN(pin.debounce_ms) ? '' : String(pin.debounce_ms)}
            onValue={(v) => change({ debounce_ms: v === '' ? NaN : Number(v) })}
          />
        </div>
      ) : (
        <Select
          label={t('pins.safe')}
          hint={t('pins.safe_hint')}
          value={pin.safe}
          options={SAFES.map((s) => [s, t(`pins.safe_${s}`)] as const)}
          onValue={(safe) => change({ safe })}
        />
      )}
      <Check
        label={t('pins.active_low')}
        hint={t(
          pin.dir === 'out'
            ? 'pins.active_low_out_hint'
            : 'pins.active_low_in_hint',
        )}
        value={pin.active_low}
        onValue={(active_low) => change({ active_low })}
      />
    </>
  );
}

interface EditorProps {
  pin: Pin;
  isNew: boolean;
  data: Pins;
  onClose: () => void;
  onSaved: () => void;
}

export function PinEditor({ pin: start, isNew, data, onClose, onSaved }: EditorProps) {
  const [pin, setPin] = useState(start);
  const [checked, setChecked] = useState(false);
  const [confirm, setConfirm] = useState(false);
  const change = (c: Partial<Pin>) => setPin((p) => ({ ...p, ...c }));
  const bad = pinProblems(pin, isNew, data.pins);
  const line = lineOf(pin, data);
  /* Thought over once, for as long as it stays on that line. */
  const risky =
    (isNew || pin.line !== start.line || pin.chip !== start.chip) &&
    Boolean(line?.risk && !line.used);
  const rooms = [...new Set(data.pins.map((p) => p.room).filter(Boolean))];

  const { busy, submit, fields, message } = useSubmit(async () => {
    setChecked(true);
    if (Object.keys(bad).length > 0 || (risky && !confirm)) return;
    const { name, pin: _header, ...body } = pin;
    await api.put(
      ofBoard(`/pins/${api.enc(name)}`),
      risky ? { ...body, confirm } : body,
    );
    onSaved();
  });
  const problem = (field: string) => {
    const key = checked ? bad[field] : undefined;
    return key ? t(key) : fields[field];
  };
  return (
    <Dialog
      title={isNew ? t('pins.add') : t('edit_what', { what: start.label || start.name })}
      onClose={onClose}
    >
      <form onSubmit={submit} noValidate>
        <NameFields
          thing={pin}
          {...{ isNew, change, problem, rooms }}
          labelHint={t('pins.label_hint')}
        />
        <Select
          label={t('pins.line')}
          value={lineKey(pin.chip, pin.line)}
          options={[
            ...(pin.line < 0 ? [['-1', t('pins.choose_line')] as const] : []),
            ...data.lines.map(
              (l) => [lineKey(null, l.line), lineText(l, null)] as const,
            ),
            ...data.chips.flatMap((c) =>
              c.lines.map(
                (l) => [lineKey(c.label, l.line), lineText(l, c.label)] as const,
              ),
            ),
          ]}
          error={problem('line')}
          onValue={(v) => {
            setConfirm(false);
            change(lineFromKey(v));
          }}
        />
        {lineNote(pin, isNew, data) && (
          <p class="warn-note">
            <Icon name="warning" size={18} />
            {lineNote(pin, isNew, data)}
          </p>
        )}
        {risky && (
          <Check
            label={t('pins.confirm')}
            hint={t('pins.confirm_hint')}
            value={confirm}
            onValue={setConfirm}
          />
        )}
        <DirectionFields pin={pin} change={change} />
        {pin.dir === 'out' && !pin.chip && <PowerUp pin={pin} lines={data.lines} />}
        {pin.dir === 'in' && (
          <PinInputFields {...{ pin, change, problem }} others={data.pins} />
        )}
        {pin.dir === 'out' && (
          <PinRulesFields
            {...{ pin, change, problem }}
            others={data.pins}
          />
        )}
        <FormError
          text={
            message ||
            problem('debounce_ms') ||
            (checked && risky && !confirm ? t('pins.confirm_first') : '')
          }
        />
        <FormActions busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}
