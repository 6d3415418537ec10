import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Session } from '../data/api';
import { adopt, session } from '../data/session';
import { t } from '../i18n';
import { FormError, Text, useSubmit } from '../ui/form';
import { Gate } from './gate';

export function LoginPage() {
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const { busy, submit, message } = useSubmit(async () => {
    adopt(await api.post<Session>('/login', { user: user.trim(), password }));
  });
  const node = session.value?.node ?? '';
  return (
    <Gate title={t('login.title')} text={t('login.text', { node })}>
      <form onSubmit={submit}>
        <Text
          label={t('login.user')}
          value={user}
          onValue={setUser}
          autocomplete="username"
          required
        />
        <Text
          label={t('password')}
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="current-password"
          required
        />
        <FormError text={message} />
        <button class="button button-main wide" disabled={busy}>
          {t('login.do')}
        </button>
      </form>
    </Gate>
  );
}
