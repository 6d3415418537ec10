import type { Line, Pin, Pins } from '../data/api';
import { configTxt, onAtPowerUp, quietLines } from '../data/power-up';
import { t } from '../i18n';
import { Icon } from '../ui/icon';

const SUGGESTED = 4;

/* Of one output: does it stay off while the board starts, and what would help? */
export function PowerUp({ pin, lines }: { pin: Pin; lines: readonly Line[] }) {
  const line = lines.find((l) => l.line === pin.line);
  const on = onAtPowerUp(pin, line);
  if (on === null || !line?.pull) return null;
  const pull = t(`pins.pulled_${line.pull}`);
  const text = configTxt([pin], lines).join('\n');
  if (!on) return <p class="note">{t('pins.quiet', { pull })}</p>;
  const others = quietLines(pin, lines)
    .slice(0, SUGGESTED)
    .map((l) => `GPIO${l.line}`);
  return (
    <div class="warn-note">
      <Icon name="warning" size={18} />
      <div>
        {t('pins.not_quiet', { pull })}{' '}
        {others.length > 0 && t('pins.quiet_lines', { lines: others.join(', ') })}{' '}
        {t('pins.config_txt')} <code class="mono">{text}</code>
      </div>
    </div>
  );
}

/* Of the whole board. */
export function ConfigTxt({ data }: { data: Pins }) {
  const lines = configTxt(data.pins, data.lines);
  if (lines.length === 0) return null;
  return (
    <details class="card samples">
      <summary>{t('pins.power_up')}</summary>
      <p class="note">{t('pins.config_txt_all')}</p>
      <pre class="mono" tabIndex={0}>
        {lines.join('\n')}
      </pre>
    </details>
  );
}
