import type { Pin, PinRules } from '../data/api';
import { t } from '../i18n';
import { Check, Select, Text } from '../ui/form';

const BOOTS = ['as_read', 'off', 'on', 'restore'] as const;
const WEEK = 7 * 24 * 3600;

/* Number fields, with their largest value as in the server's gpio/pin_table.c. */
const LIMITS = [
  ['auto_off', WEEK],
  ['max_on', WEEK],
  ['min_on', WEEK],
  ['min_off', WEEK],
  ['cycles', 60],
  ['command_timeout', WEEK],
  ['failsafe', WEEK],
] as const;

export const NO_RULES: PinRules = {
  boot: 'as_read',
  interlock: '',
  locked: false,
  dead_ms: 0,
  cycles: 0,
  max_on: 0,
  min_on: 0,
  min_off: 0,
  auto_off: 0,
  command_timeout: 0,
  failsafe: 0,
};

interface Props {
  pin: Pin;
  others: readonly Pin[];
  change: (c: Partial<Pin>) => void;
  problem: (field: string) => string | undefined;
}

function Limit({ pin, change, problem, field, max }: Omit<Props, 'others'> & {
  field: Exclude<keyof PinRules, 'boot' | 'interlock' | 'locked'>;
  max: number;
}) {
  const value = pin[field];
  return (
    <Text
      label={t(`pins.${field}`)}
      hint={t(`pins.${field}_hint`)}
      error={problem(field)}
      type="number"
      min={0}
      max={max}
      value={value ? String(value) : ''}
      onValue={(v) => change({ [field]: v === '' ? 0 : Number(v) })}
    />
  );
}

/* The group begins to hold when it has a second output. */
function interlockHint(pin: Pin, others: readonly Pin[]): string {
  const with_ = others
    .filter((p) => p.name !== pin.name && p.interlock === pin.interlock)
    .map((p) => p.label || p.name);
  if (!pin.interlock) return t('pins.interlock_hint');
  if (with_.length === 0) return t('pins.interlock_alone');
  return t('pins.interlock_with', { who: with_.join(', ') });
}

/* Folded away: most outputs need none of it. */
export function PinRulesFields({ pin, others, change, problem }: Props) {
  const open = Object.keys(NO_RULES).some(
    (k) => pin[k as keyof PinRules] !== NO_RULES[k as keyof PinRules],
  );
  const groups = [...new Set(others.map((p) => p.interlock).filter(Boolean))];
  return (
    <details class="pin-rules" open={open}>
      <summary>{t('pins.rules')}</summary>
      <Select
        label={t('pins.boot')}
        error={problem('boot')}
        value={pin.boot}
        options={BOOTS.map((b) => [b, t(`pins.boot_${b}`)] as const)}
        onValue={(boot) => change({ boot })}
      />
      <div class="form-grid">
        <Text
          label={t('pins.interlock')}
          hint={interlockHint(pin, others)}
          error={problem('interlock')}
          value={pin.interlock}
          onValue={(interlock) =>
            change(interlock ? { interlock } : { interlock, dead_ms: 0 })
          }
          list="interlocks"
          mono
        />
        <datalist id="interlocks">
          {groups.map((g) => (
            <option key={g} value={g} />
          ))}
        </datalist>
        {pin.interlock && (
          <Limit {...{ pin, change, problem }} field="dead_ms" max={60000} />
        )}
        {LIMITS.map(([field, max]) => (
          <Limit key={field} {...{ pin, change, problem, field, max }} />
        ))}
      </div>
      <Check
        label={t('pins.locked')}
        hint={t('pins.locked_hint')}
        value={pin.locked}
        onValue={(locked) => change({ locked })}
      />
    </details>
  );
}
