/* A simulated board, operated: what happens at a line from outside. */
import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Line, Pin, Pins } from '../data/api';
import { onOff, thingKey, things } from '../data/board';
import { chosenName, ofBoard } from '../data/nodes';
import { groupOf, levelFor, lineFromKey, lineKey } from '../data/pins';
import { t } from '../i18n';
import { Check, Select } from '../ui/form';
import { errorText } from '../ui/states';
import { toast } from '../ui/toast';

const SCENARIOS = ['none', 'door', 'noisy_button', 'flow_meter'] as const;
const FAULTS = ['none', 'busy', 'io_error', 'lost_events', 'bounce'] as const;
const PRESS_MS = 150;
/* The board reports what it was told. */
const REPORT_MS = 300;

/* A line of the header or of another chip, and the pin that it is. */
interface Place {
  key: string;
  line: Line;
  pin: Pin | undefined;
  name: string;
}

function placesOf(data: Pins): Place[] {
  const place = (chip: string | null, line: Line): Place => {
    const pin = data.pins.find(
      (p) => (p.chip || null) === chip && p.line === line.line,
    );
    const key = lineKey(chip, line.line);
    const name = line.name || (chip ? key : `GPIO${key}`);
    const text = pin ? `${pin.label || pin.name} (${name})` : name;
    return { key, line, pin, name: text };
  };
  return [
    ...data.lines.map((l) => place(null, l)),
    ...data.chips.flatMap((c) => c.lines.map((l) => place(c.label, l))),
  ];
}

function Ails({ places }: { places: readonly Place[] }) {
  const ailing = places.filter((p) => p.line.scenario || p.line.fault);
  if (ailing.length === 0) return null;
  return (
    <ul class="rows">
      {ailing.map(({ key, name, line: l }) => (
        <li key={key} class="row">
          <span class="row-main">{name}</span>
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
  const [chosen, setChosen] = useState<string | null>(null);
  const onLine = (line: number) => {
    setChosen(lineKey(null, line));
    touch(data, line).catch((e: unknown) => toast(errorText(e), true));
  };
  return { operated, setOperated, chosen, setChosen, onLine };
}

export function Simulator({ data, sim, reload }: {
  data: Pins;
  sim: ReturnType<typeof useSimulator>;
  reload: () => void;
}) {
  const places = placesOf(data);
  const at =
    places.find((p) => p.key === sim.chosen) ??
    places.find((p) => p.pin?.dir === 'in') ??
    places[0];
  if (!at) return null;
  const { chip, line } = lineFromKey(at.key);
  const isOutput = at.pin?.dir === 'out';
  const tell = async (body: object) => {
    try {
      await api.post(ofBoard(`/sim/lines/${line}`), { ...body, chip });
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
    <section class="card simulator" aria-label={t('sim.title')}>
      <h2>{t('sim.title')}</h2>
      <p class="note">{t('sim.text')}</p>
      <Check
        label={t('sim.operate')}
        value={sim.operated}
        onValue={sim.setOperated}
      />
      <Select
        label={t('pins.line')}
        value={at.key}
        onValue={sim.setChosen}
        options={places.map((p) => [p.key, p.name] as const)}
      />
      {!isOutput && (
        <div class="row-actions">
          {button(t('sim.press'), { press_ms: PRESS_MS })}
          {button(t('sim.low'), { level: 0 })}
          {button(t('sim.high'), { level: 1 })}
        </div>
      )}
      {!isOutput && !chip && (
        <Select
          label={t('sim.scenario')}
          value={at.line.scenario ?? 'none'}
          onValue={(scenario) => void tell({ scenario })}
          options={SCENARIOS.map((s) => [s, t(`sim.${s}`)] as const)}
        />
      )}
      <Select
        label={t('sim.fault')}
        value={at.line.fault ?? 'none'}
        onValue={(fault) => void tell({ fault })}
        options={FAULTS.map((f) => [f, t(`sim.${f}`)] as const)}
      />
      <Ails places={places} />
    </section>
  );
}
