import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Session } from '../data/api';
import { adopt, session } from '../data/session';
import { t } from '../i18n';
import { FormError, Text, useSubmit } from '../ui/form';
import { Gate } from './gate';

/* The server asks for at least this many characters, too. */
export const MIN_PASSWORD = 8;

/* First run: whoever holds the token printed by the box becomes its owner. */
export function ClaimPage() {
  const [token, setToken] = useState('');
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const { busy, submit, fields, message } = useSubmit(async () => {
    const body = { token: token.trim(), user: user.trim(), password };
    adopt(await api.post<Session>('/claim', body));
  });
  const node = session.value?.node ?? '';
  return (
    <Gate title={t('claim.title')} text={t('claim.text', { node })}>
      <form onSubmit={submit}>
        <Text
          label={t('claim.token')}
          hint={t('claim.token_hint')}
          error={fields.token}
          value={token}
          onValue={setToken}
          autocomplete="one-time-code"
          required
          mono
        />
        <Text
          label={t('claim.user')}
          error={fields.user}
          value={user}
          onValue={setUser}
          autocomplete="username"
          required
        />
        <Text
          label={t('password')}
          hint={t('password.hint', { n: MIN_PASSWORD })}
          error={fields.password}
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="new-password"
          minLength={MIN_PASSWORD}
          required
        />
        <FormError text={message} />
        <button class="button button-main wide" disabled={busy}>
          {t('claim.do')}
        </button>
      </form>
    </Gate>
  );
}
