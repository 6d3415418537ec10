import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { Text } from '../ui/form';

interface Named {
  label: string;
  name: string;
  room: string;
}

interface NameFieldsProps {
  thing: Named;
  isNew: boolean;
  change: (c: Partial<Named>) => void;
  problem: (field: keyof Named) => string | undefined;
  labelHint?: string;
  /* Offered. */
  rooms?: readonly string[];
  /* Beside name and room. */
  children?: ComponentChildren;
}

/* The topic name that goes with a label: "Floor lamp" -> floor_lamp. */
export function slug(label: string): string {
  return label
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 32);
}

/* What pins and devices are called. A new one's name follows its label until
 * somebody types another. */
export function NameFields(props: NameFieldsProps) {
  const { thing, isNew, change, problem, labelHint, rooms, children } = props;
  const [named, setNamed] = useState(!isNew);
  return (
    <>
      <Text
        label={t('pins.label')}
        hint={labelHint}
        error={problem('label')}
        value={thing.label}
        onValue={(label) =>
          change(named ? { label } : { label, name: slug(label) })
        }
      />
      <div class="form-grid">
        <Text
          label={t('pins.name')}
          hint={isNew ? t('pins.name_hint') : undefined}
          error={problem('name')}
          value={thing.name}
          disabled={!isNew}
          onValue={(name) => {
            setNamed(true);
            change({ name });
          }}
          mono
        />
        <Text
          label={t('pins.room')}
          error={problem('room')}
          value={thing.room}
          onValue={(room) => change({ room })}
          {...(rooms ? { list: 'rooms' } : {})}
        />
        {rooms && (
          <datalist id="rooms">
            {rooms.map((r) => (
              <option key={r} value={r} />
            ))}
          </datalist>
        )}
        {children}
      </div>
    </>
  );
}
