import type { Pin, PinInput } from '../data/api';
import { t } from '../i18n';
import { Select, Text } from '../ui/form';

const MODES = ['momentary', 'toggle', 'follow'] as const;

export const NO_TARGET = { target: '', mode: 'detached' } as const;
export const NO_METER = { unit: '', per_unit: 0, interval: 10 } as const;
/* As the server has them when nothing is said. */
const USUAL_CLICKS = { double_ms: 300, long_ms: 800, hold_ms: 0 } as const;

export const NO_INPUT: PinInput = {
  ...NO_TARGET,
  ...USUAL_CLICKS,
  ...NO_METER,
};

interface Props {
  pin: Pin;
  others: readonly Pin[];
  change: (c: Partial<Pin>) => void;
  problem: (field: string) => string | undefined;
}

type NumberField = 'double_ms' | 'long_ms' | 'hold_ms' | 'per_unit' | 'interval';

function NumberText({ pin, change, problem, field, max }: Omit<Props, 'others'> & {
  field: NumberField;
  max: number;
}) {
  return (
    <Text
      label={t(`pins.${field}`)}
      hint={t(`pins.${field}_hint`)}
      error={problem(field)}
      type="number"
      min={0}
      max={max}
      value={String(pin[field])}
      onValue={(v) => change({ [field]: v === '' ? 0 : Number(v) })}
    />
  );
}

function Meter(props: Props) {
  const { pin, change, problem } = props;
  return (
    <div class="form-grid">
      <Text
        label={t('pins.unit')}
        hint={t('pins.unit_hint')}
        error={problem('unit')}
        value={pin.unit}
        onValue={(unit) => change({ unit })}
      />
      <NumberText {...props} field="per_unit" max={1000000} />
      <NumberText {...props} field="interval" max={3600} />
    </div>
  );
}

/* A press switches, and so does each change of a wall switch: what fits first. */
function Target({ pin, others, change, problem }: Props) {
  const outputs = others.filter((p) => p.dir === 'out');
  return (
    <div class="form-grid">
      <Select
        label={t('pins.target')}
        hint={t('pins.target_hint')}
        error={problem('target')}
        value={pin.target}
        options={[
          ['', t('pins.target_none')],
          ...outputs.map((p) => [p.name, p.label || p.name] as const),
        ]}
        onValue={(target) =>
          change(
            target === ''
              ? NO_TARGET
              : {
                  target,
                  mode:
                    pin.mode !== 'detached'
                      ? pin.mode
                      : pin.kind === 'button'
                        ? 'momentary'
                        : 'toggle',
                },
          )
        }
      />
      {pin.target && (
        <Select
          label={t('pins.mode')}
          error={problem('mode')}
          value={pin.mode}
          options={MODES.map((m) => [m, t(`pins.mode_${m}`)] as const)}
          onValue={(mode) => change({ mode })}
        />
      )}
    </div>
  );
}

export function PinInputFields(props: Props) {
  const { pin } = props;
  if (pin.kind === 'counter') return <Meter {...props} />;
  const open = Object.entries(USUAL_CLICKS).some(
    ([k, v]) => pin[k as keyof typeof USUAL_CLICKS] !== v,
  );
  return (
    <>
      <Target {...props} />
      {pin.kind === 'button' && (
        <details class="pin-rules" open={open}>
          <summary>{t('pins.clicks')}</summary>
          <div class="form-grid">
            <NumberText {...props} field="double_ms" max={2000} />
            <NumberText {...props} field="long_ms" max={60000} />
            <NumberText {...props} field="hold_ms" max={60000} />
          </div>
        </details>
      )}
    </>
  );
}
