import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { ApiError } from '../data/api';
import { t } from '../i18n';
import { errorText } from './states';

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /* Receives the attributes that tie the input to its label and messages. */
  children: (a: {
    id: string;
    'aria-describedby'?: string;
    'aria-invalid'?: boolean;
  }) => ComponentChildren;
}

export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const note = error || hint;
  return (
    <div class={error ? 'field field-bad' : 'field'}>
      <label for={id}>{label}</label>
      {children({
        id,
        ...(note ? { 'aria-describedby': `${id}-note` } : {}),
        ...(error ? { 'aria-invalid': true } : {}),
      })}
      {note && (
        <p class="note" id={`${id}-note`}>
          {note}
        </p>
      )}
    </div>
  );
}

interface TextProps {
  label: string;
  value: string;
  onValue: (v: string) => void;
  hint?: string | undefined;
  error?: string | undefined;
  type?: 'text' | 'password' | 'number';
  autocomplete?: string;
  required?: boolean;
  disabled?: boolean;
  list?: string;
  mono?: boolean;
  minLength?: number;
  min?: number;
  max?: number;
  placeholder?: string;
}

export function Text(props: TextProps) {
  const { label, hint, error, value, onValue, mono, type, ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error}>
      {(a) => (
        <input
          {...rest}
          {...a}
          /* Preact's types tie the type to other attributes; ours are right. */
          type={(type ?? 'text') as 'text'}
          class={mono ? 'mono' : undefined}
          value={value}
          autocapitalize="off"
          spellcheck={false}
          onInput={(e) => onValue(e.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface SelectProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onValue: (v: T) => void;
  hint?: string | undefined;
  error?: string | undefined;
}

export function Select<T extends string>(props: SelectProps<T>) {
  const { label, hint, error, value, options, onValue } = props;
  return (
    <Field label={label} hint={hint} error={error}>
      {(a) => (
        <select
          {...a}
          value={value}
          onChange={(e) => onValue(e.currentTarget.value as T)}
        >
          {options.map(([v, text]) => (
            <option key={v} value={v} selected={v === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckProps {
  label: string;
  value: boolean;
  onValue: (v: boolean) => void;
  hint?: string;
  disabled?: boolean;
}

export function Check({ label, value, onValue, hint, disabled }: CheckProps) {
  const id = useId();
  return (
    <div class="check">
      <input
        type="checkbox"
        id={id}
        checked={value}
        disabled={disabled}
        aria-describedby={hint ? `${id}-note` : undefined}
        onChange={(e) => onValue(e.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <p class="note" id={`${id}-note`}>
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

/* Runs a form's request: one at a time, and what the server refused is shown
 * beside the field it names, or as the form's own message. */
export function useSubmit(action: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await action();
    } catch (err) {
      setError(err);
    } finally {
      setBusy(false);
    }
  };
  const fields: Record<string, string> =
    error instanceof ApiError ? error.fields : {};
  const message = error === null ? '' : errorText(error);
  return { busy, submit, fields, message };
}

export function FormError({ text }: { text: string }) {
  return (
    <div role="alert" class={text ? 'form-error' : undefined}>
      {text}
    </div>
  );
}

/* The end of a form in a dialog. */
export function FormActions({ busy, onClose, action }: {
  busy: boolean;
  onClose: () => void;
  /* Where it is not "save". */
  action?: string;
}) {
  return (
    <div class="actions">
      <button type="button" class="button" onClick={onClose}>
        {t('cancel')}
      </button>
      <button class="button button-main" disabled={busy}>
        {action ?? t('save')}
      </button>
    </div>
  );
}
