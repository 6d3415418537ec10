import { useRef, useState } from 'preact/hooks';
import * as api from '../data/api';
import type { BackupContents, Backups, KeptBackup } from '../data/api';
import { visible } from '../data/payload';
import { refreshSession, session } from '../data/session';
import { ago, bytes, dateTime, number, t } from '../i18n';
import { Confirm } from '../ui/dialog';
import { Check, Field, FormError, Text, useSubmit } from '../ui/form';
import { Icon } from '../ui/icon';
import { Head } from '../ui/shell';
import { errorText, Failed, Loading, useEvery, useLoad } from '../ui/states';
import { toast } from '../ui/toast';

const REFRESH_MS = 10000;
const AGAIN_MS = 1000;

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  /* The browser has taken hold of it by then. */
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

function TakeAway() {
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [history, setHistory] = useState(true);
  const [differ, setDiffer] = useState(false);
  const { busy, submit, fields, message } = useSubmit(async () => {
    setDiffer(passphrase !== again);
    if (passphrase !== again) return;
    const file = await api.download('/backup', {
      history,
      ...(passphrase ? { passphrase } : {}),
    });
    save(file.blob, file.name);
    setPassphrase('');
    setAgain('');
  });
  return (
    <section class="card" aria-label={t('backup.take')}>
      <h2>{t('backup.take')}</h2>
      <p class="muted">{t('backup.take_text')}</p>
      <form onSubmit={submit}>
        <Text
          label={t('backup.passphrase')}
          hint={t('backup.passphrase_hint')}
          error={fields.passphrase}
          type="password"
          autocomplete="new-password"
          minLength={8}
          value={passphrase}
          onValue={setPassphrase}
        />
        <Text
          label={t('backup.passphrase_again')}
          error={differ ? t('backup.differ') : undefined}
          type="password"
          autocomplete="new-password"
          value={again}
          onValue={setAgain}
        />
        <Check
          label={t('backup.history')}
          value={history}
          onValue={setHistory}
        />
        <FormError text={message} />
        <button class="button button-main" disabled={busy}>
          <Icon name="download" size={18} />
          {busy ? t('backup.working') : t('backup.download')}
        </button>
      </form>
    </section>
  );
}

/* ---- those kept ---------------------------------------------------------- */

function nightText({ nightly, last }: Backups): string {
  if (last && !last.ok)
    return t('backup.last_failed', {
      when: ago(last.time),
      why: visible(last.error ?? ''),
    });
  if (!nightly.enabled) return t('backup.no_nights');
  return t('backup.nights', {
    n: number(nightly.keep),
    when: nightly.next === null ? '–' : dateTime(nightly.next),
  });
}

function KeptRow(props: { kept: KeptBackup; onRestore: () => void }) {
  const { kept, onRestore } = props;
  const when = dateTime(kept.time);
  return (
    <li class="row">
      <Icon name="archive" size={18} />
      <span class="row-main">
        <span>{when}</span>
        <span class="muted small">
          {ago(kept.time)} · {bytes(kept.bytes)}
        </span>
      </span>
      <a
        class="icon-button"
        href={`/api/v1/backups/${kept.number}`}
        download={kept.file}
        aria-label={t('backup.download_what', { what: when })}
      >
        <Icon name="download" size={18} />
      </a>
      <button
        type="button"
        class="icon-button"
        aria-label={t('backup.restore_what', { what: when })}
        onClick={onRestore}
      >
        <Icon name="clock" size={18} />
      </button>
    </li>
  );
}

type Checked = (contents: BackupContents) => void;

function Kept({ onChecked }: { onChecked: Checked }) {
  const { data, error, reload } = useLoad(() => api.get<Backups>('/backups'));
  const [busy, setBusy] = useState(false);
  useEvery(REFRESH_MS, () => void reload());
  const run = async (action: () => Promise<void>) => {
    setBusy(true);
    try {
      await action();
    } catch (e) {
      toast(errorText(e), true);
    }
    setBusy(false);
    void reload();
  };
  const make = () => run(async () => void (await api.post('/backups')));
  const restore = (n: number) =>
    run(async () =>
      onChecked(await api.post<BackupContents>('/restore', { number: n })),
    );
  return (
    <section class="card" aria-label={t('backup.kept')}>
      <h2>{t('backup.kept')}</h2>
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Loading />}
      {data && (
        <p class={data.last && !data.last.ok ? 'form-error wrap' : 'muted'}>
          {nightText(data)}
        </p>
      )}
      {data?.backups.length === 0 && <p class="muted">{t('backup.none')}</p>}
      <ul class="rows">
        {data?.backups.map((b) => (
          <KeptRow
            key={b.number}
            kept={b}
            onRestore={() => void restore(b.number)}
          />
        ))}
      </ul>
      <button type="button" class="button" disabled={busy} onClick={make}>
        <Icon name="add" size={18} />
        {busy || data?.running ? t('backup.working') : t('backup.make')}
      </button>
    </section>
  );
}

/* ---- taken back ----------------------------------------------------------- */

function TakeBack({ onChecked }: { onChecked: Checked }) {
  const [passphrase, setPassphrase] = useState('');
  const [missing, setMissing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { busy, submit, fields, message } = useSubmit(async () => {
    const file = input.current?.files?.[0];
    setMissing(!file);
    if (!file) return;
    const { upload } = await api.post<{ upload: string }>('/restore', {
      bytes: file.size,
      ...(passphrase ? { passphrase } : {}),
    });
    onChecked(await api.upload<BackupContents>(upload, file));
    setPassphrase('');
  });
  return (
    <section class="card" aria-label={t('backup.back')}>
      <h2>{t('backup.back')}</h2>
      <p class="muted">{t('backup.back_text')}</p>
      <form onSubmit={submit}>
        <Field
          label={t('backup.file')}
          error={missing ? t('backup.file_missing') : fields.bytes}
        >
          {(a) => <input {...a} ref={input} type="file" accept=".hearth" />}
        </Field>
        <Text
          label={t('backup.passphrase')}
          hint={t('backup.passphrase_if')}
          error={fields.passphrase}
          type="password"
          autocomplete="off"
          value={passphrase}
          onValue={setPassphrase}
        />
        <FormError text={message} />
        <button class="button" disabled={busy}>
          <Icon name="check" size={18} />
          {busy ? t('backup.working') : t('backup.check')}
        </button>
      </form>
    </section>
  );
}

/* The hub has forgotten all sessions once it is back. */
async function waitForTheHub(): Promise<void> {
  while (session.value?.authenticated) {
    await new Promise((done) => setTimeout(done, AGAIN_MS));
    await refreshSession().catch(() => {});
  }
}

function contentsText(c: BackupContents): string {
  return t('backup.confirm_text', {
    when: dateTime(c.time),
    node: visible(c.node),
    files: c.files.map((f) => `${f.name} (${bytes(f.bytes)})`).join(', '),
  });
}

function Agree(props: { contents: BackupContents; onClose: () => void }) {
  const forget = () => {
    props.onClose();
    api.remove('/restore').catch(() => {});
  };
  const confirm = async () => {
    try {
      await api.post('/restore/confirm');
      toast(t('backup.begins'));
      await waitForTheHub();
    } catch (e) {
      toast(errorText(e), true);
    }
    props.onClose();
  };
  return (
    <Confirm
      title={t('backup.confirm')}
      text={contentsText(props.contents)}
      action={t('backup.replace')}
      onConfirm={confirm}
      onClose={forget}
    />
  );
}

export function BackupPage() {
  const [checked, setChecked] = useState<BackupContents | null>(null);
  return (
    <>
      <Head title={t('nav.backup')} text={t('about.backup')} />
      <div class="columns">
        <Kept onChecked={setChecked} />
        <TakeAway />
        <TakeBack onChecked={setChecked} />
      </div>
      {checked && (
        <Agree contents={checked} onClose={() => setChecked(null)} />
      )}
    </>
  );
}
