/* A simulated board, operated: what happens at a line from outside. */
import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Line, Pins } from '../data/api';
import { onOff, thingKey, things } from '../data/board';
import { chosenName, ofBoard } from '../data/nodes';
import { groupOf, levelFor } from '../data/pins';
import { t } from '../i18n';
import { Check, Select } from '../ui/form';
import { errorText } from '../ui/states';
import { toast } from '../ui/toast';

const SCENARIOS = ['none', 'door', 'noisy_button', 'flow_meter'] as const;
const FAULTS = ['none', 'busy', 'io_error', 'lost_events', 'bounce'] as const;
const PRESS_MS = 150;
/* The board reports what it was told. */
const REPORT_MS = 300;

function nameOf(data: Pins, line: Line): string {
  const pin = data.pins.find((p) => !p.chip && p.line === line.line);
  const name = line.name || `GPIO${line.line}`;
  return pin ? `${pin.label || pin.name} (${name})` : name;
}

function Ails({ data }: { data: Pins }) {
  const ailing = data.lines.filter((l) => l.scenario || l.fault);
  if (ailing.length === 0) return null;
  return (
    <ul class="rows">
      {ailing.map((l) => (
        <li key={l.line} class="row">
          <span class="row-main">{nameOf(data, l)}</span>
          {l.scenario && <span class="chip">{t(`sim.${l.scenario}`)}</span>}
          {l.fault && <span class="chip bad">{t(`sim.${l.fault}`)}</span>}
        </li>
      ))}
    </ul>
  );
}

/* A finger on an input: a button is pressed, anything else goes over. */
async function touch(data: Pins, line: number): Promise<void> {
  const pin = data.pins.find((p) => !p.chip && p.line === line);
  if (pin?.dir !== 'in') return;
  const key = thingKey(chosenName(), groupOf(pin), pin.name);
  const on = onOff(things.value.get(key)) === 'ON';
  const pressed = pin.kind === 'button' || pin.kind === 'counter';
  await api.post(
    ofBoard(`/sim/lines/${line}`),
    pressed ? { press_ms: PRESS_MS } : { level: levelFor(pin, !on) },
  );
}

/* What a tap on the header does while the board is operated, not set up. */
export function useSimulator(data: Pins) {
  const [operated, setOperated] = useState(false);
  const [chosen, setChosen] = useState<number | null>(null);
  const onLine = (line: number) => {
    setChosen(line);
    touch(data, line).catch((e: unknown) => toast(errorText(e), true));
  };
  return { operated, setOperated, chosen, setChosen, onLine };
}

export function Simulator({ data, sim, reload }: {
  data: Pins;
  sim: ReturnType<typeof useSimulator>;
  reload: () => void;
}) {
  const input = data.pins.find((p) => !p.chip && p.dir === 'in');
  const line = sim.chosen ?? input?.line ?? data.lines[0]?.line ?? 0;
  const at = data.lines.find((l) => l.line === line);
  const pin = data.pins.find((p) => !p.chip && p.line === line);
  const tell = async (body: object) => {
    try {
      await api.post(ofBoard(`/sim/lines/${line}`), body);
      setTimeout(reload, REPORT_MS);
    } catch (e) {
      toast(errorText(e), true);
    }
  };
  const button = (text: string, body: object) => (
    <button type="button" class="button" onClick={() => void tell(body)}>
      {text}
    </button>
  );
  return (
    <section class="card" aria-label={t('sim.title')}>
      <h2>{t('sim.title')}</h2>
      <p class="note">{t('sim.text')}</p>
      <Check
        label={t('sim.operate')}
        value={sim.operated}
        onValue={sim.setOperated}
      />
      <Select
        label={t('pins.line')}
        value={String(line)}
        onValue={(v) => sim.setChosen(Number(v))}
        options={data.lines.map(
          (l) => [String(l.line), nameOf(data, l)] as const,
        )}
      />
      {pin?.dir !== 'out' && (
        <div class="row-actions">
          {button(t('sim.press'), { press_ms: PRESS_MS })}
          {button(t('sim.low'), { level: 0 })}
          {button(t('sim.high'), { level: 1 })}
        </div>
      )}
      {pin?.dir !== 'out' && (
        <Select
          label={t('sim.scenario')}
          value={at?.scenario ?? 'none'}
          onValue={(scenario) => void tell({ scenario })}
          options={SCENARIOS.map((s) => [s, t(`sim.${s}`)] as const)}
        />
      )}
      <Select
        label={t('sim.fault')}
        value={at?.fault ?? 'none'}
        onValue={(fault) => void tell({ fault })}
        options={FAULTS.map((f) => [f, t(`sim.${f}`)] as const)}
      />
      <Ails data={data} />
    </section>
  );
}
