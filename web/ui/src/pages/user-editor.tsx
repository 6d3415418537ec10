import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { User } from '../data/api';
import { session } from '../data/session';
import { t } from '../i18n';
import { Dialog } from '../ui/dialog';
import { Check, FormActions, FormError, Text, useSubmit } from '../ui/form';
import { SecretActions } from '../ui/secret';
import { MIN_PASSWORD } from './claim';

interface EditorProps {
  /* null: a new one. */
  user: User | null;
  kind: 'person' | 'device';
  onClose: () => void;
  onSaved: (name: string, generated: string | undefined) => void;
}

function passwordHint(isNew: boolean, device: boolean): string {
  if (!isNew) return t('users.password_keep');
  if (device) return t('users.password_generate');
  return t('password.hint', { n: MIN_PASSWORD });
}

export function UserEditor({ user, kind, onClose, onSaved }: EditorProps) {
  const isNew = user === null;
  const device = kind === 'device';
  const me = user?.name === session.value?.user;
  const [name, setName] = useState(user?.name ?? '');
  const [password, setPassword] = useState('');
  const [admin, setAdmin] = useState(user?.admin ?? false);
  const [enabled, setEnabled] = useState(user?.enabled ?? true);

  const { busy, submit, fields, message } = useSubmit(async () => {
    const body: Record<string, unknown> = { kind, admin, enabled };
    if (password !== '') body.password = password;
    const answer = await api.put<{ password?: string } | null>(
      `/users/${api.enc(name.trim())}`,
      body,
      user?.etag,
    );
    onSaved(name.trim(), answer?.password);
  });
  const title = isNew ? t(`users.add_${kind}`) : t('edit_what', { what: name });
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {isNew && (
          <Text
            label={t('login.user')}
            error={fields.name}
            value={name}
            onValue={setName}
            autocomplete="off"
            required
          />
        )}
        <Text
          label={isNew ? t('password') : t('users.new_password')}
          hint={passwordHint(isNew, device)}
          error={fields.password}
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="new-password"
          minLength={MIN_PASSWORD}
          required={isNew && !device}
        />
        {!device && (
          <Check
            label={t('users.admin')}
            hint={t('users.admin_hint')}
            value={admin}
            disabled={me}
            onValue={setAdmin}
          />
        )}
        <Check
          label={t('users.enabled')}
          hint={t('users.enabled_hint')}
          value={enabled}
          disabled={me}
          onValue={setEnabled}
        />
        <FormError text={message} />
        <FormActions busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}

/* A generated password, which the box shows this one time only. */
export function ShowPassword({ name, password, onClose }: {
  name: string;
  password: string;
  onClose: () => void;
}) {
  return (
    <Dialog title={t('users.password_for', { name })} onClose={onClose}>
      <p>{t('users.password_once')}</p>
      <p class="secret mono">{password}</p>
      <SecretActions text={password} onClose={onClose} />
    </Dialog>
  );
}
