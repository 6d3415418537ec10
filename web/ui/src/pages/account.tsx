import { useEffect, useState } from 'preact/hooks';
import * as api from '../data/api';
import { logout, session } from '../data/session';
import { refreshStatus, status } from '../data/status';
import { bytes, duration, language, languages, number, setLanguage, t } from '../i18n';
import type { Language } from '../i18n';
import { FormError, Select, Text, useSubmit } from '../ui/form';
import { Icon } from '../ui/icon';
import { Head } from '../ui/shell';
import { errorText } from '../ui/states';
import { setTheme, theme } from '../ui/theme';
import type { Theme } from '../ui/theme';
import { toast } from '../ui/toast';
import { MIN_PASSWORD } from './claim';

function Look() {
  const themes: readonly Theme[] = ['auto', 'light', 'dark'];
  return (
    <section class="card" aria-label={t('account.look')}>
      <h2>{t('account.look')}</h2>
      <Select<Language>
        label={t('account.language')}
        value={language.value}
        options={languages}
        onValue={(l) => void setLanguage(l)}
      />
      <Select<Theme>
        label={t('account.theme')}
        value={theme.value}
        options={themes.map((x) => [x, t(`account.theme_${x}`)] as const)}
        onValue={setTheme}
      />
    </section>
  );
}

function Password() {
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const { busy, submit, fields, message } = useSubmit(async () => {
    await api.post('/account/password', { old, new: fresh });
    setOld('');
    setFresh('');
    toast(t('account.password_changed'));
  });
  return (
    <section class="card" aria-label={t('account.password')}>
      <h2>{t('account.password')}</h2>
      <form onSubmit={submit}>
        <input
          type="text"
          hidden
          readOnly
          autocomplete="username"
          value={session.value?.user ?? ''}
        />
        <Text
          label={t('account.old')}
          error={fields.old}
          type="password"
          value={old}
          onValue={setOld}
          autocomplete="current-password"
          required
        />
        <Text
          label={t('users.new_password')}
          hint={t('password.hint', { n: MIN_PASSWORD })}
          error={fields.new}
          type="password"
          value={fresh}
          onValue={setFresh}
          autocomplete="new-password"
          minLength={MIN_PASSWORD}
          required
        />
        <FormError text={message} />
        <button class="button" disabled={busy}>
          <Icon name="key" size={18} />
          {t('account.change')}
        </button>
      </form>
    </section>
  );
}

function About() {
  const s = status.value;
  useEffect(() => void refreshStatus(), []);
  const rows: [string, string][] = [
    [t('account.node'), session.value?.node ?? ''],
    [t('account.version'), `hearth ${session.value?.version ?? ''}`],
  ];
  if (s) {
    rows.push(
      [t('account.uptime'), duration(s.uptime_s)],
      [t('account.clients'), number(s.clients.connected)],
      [
        t('account.messages'),
        `${number(s.messages.received)} / ${number(s.messages.sent)}`,
      ],
      [t('account.retained'), number(s.retained)],
      [t('account.memory'), bytes(s.rss_bytes)],
      [t('account.store'), t(`account.store_${s.store.state}`)],
      [
        t('account.gpio'),
        s.gpio.backend === 'sim'
          ? t('account.gpio_sim')
          : t(s.gpio.online ? 'account.gpio_on' : 'account.gpio_off'),
      ],
    );
  }
  return (
    <section class="card" aria-label={t('account.about')}>
      <h2>{t('account.about')}</h2>
      <dl class="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function AccountPage() {
  const leave = () => logout().catch((e) => toast(errorText(e), true));
  return (
    <>
      <Head
        title={session.value?.user ?? t('nav.account')}
        text={t(session.value?.admin ? 'users.admin' : 'users.member')}
      >
        <button type="button" class="button" onClick={leave}>
          <Icon name="logout" size={18} />
          {t('account.logout')}
        </button>
      </Head>
      <div class="columns">
        <Look />
        <Password />
        <About />
      </div>
    </>
  );
}
