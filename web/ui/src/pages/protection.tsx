import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Ban, Notice } from '../data/api';
import { visible } from '../data/payload';
import { ago, dateTime, number, t } from '../i18n';
import type { Key } from '../i18n';
import { FormError, Select, Text, useSubmit } from '../ui/form';
import { Icon } from '../ui/icon';
import { RowActions } from '../ui/row-actions';
import { Head } from '../ui/shell';
import { errorText, Failed, Loading, useEvery, useLoad } from '../ui/states';
import { toast } from '../ui/toast';

const REFRESH_MS = 10000;
const KINDS = ['address', 'client', 'user'] as const;
/* Hours; 0 is for good. */
const TIMES = [1, 24, 168, 0] as const;

function noticeText(n: Notice): string {
  const values = {
    what: visible(n.subject),
    n: number(n.count),
    from: n.from ?? '–',
    other: n.other ?? '–',
  };
  if (n.kind === 'set_aside' && n.why)
    return t(`notice.${n.why}`, { what: n.file ?? '' });
  return t(
    n.kind === 'flapping' && n.other
      ? 'notice.flapping_two'
      : `notice.${n.kind}`,
    values,
  );
}

/* What took a file's place, and what there is to do. */
function insteadText(n: Notice): string {
  const what =
    n.instead === 'backup' && n.backup_time !== undefined
      ? t('notice.from_backup', { when: dateTime(n.backup_time) })
      : n.instead === 'empty'
        ? t(`notice.lost_${(n.file ?? '').replace('.db', '')}` as Key)
        : '';
  return [what, t('notice.set_aside_as', { what: visible(n.subject) })]
    .filter(Boolean)
    .join(' ');
}

function NoticeRow({
  notice,
  onGone,
}: {
  notice: Notice;
  onGone: () => void;
}) {
  const remove = async () => {
    try {
      await api.remove(`/notices/${api.enc(notice.subject)}`);
    } catch (e) {
      toast(errorText(e), true);
    }
    onGone();
  };
  const aside = notice.kind === 'set_aside';
  return (
    <li class="row">
      <Icon name="warning" size={18} />
      <span class="row-main">
        <bdi class="wrap">{noticeText(notice)}</bdi>
        {aside && <bdi class="muted small wrap">{insteadText(notice)}</bdi>}
        <span class="muted small">
          {dateTime(notice.last)} · {ago(notice.last)}
        </span>
      </span>
      {aside && <RowActions what={notice.subject} onRemove={remove} />}
    </li>
  );
}

function Notices() {
  const { data, error, reload } = useLoad(() =>
    api.get<{ notices: Notice[] }>('/notices'),
  );
  useEvery(REFRESH_MS, () => void reload());
  return (
    <section class="card" aria-label={t('notice.title')}>
      <h2>{t('notice.title')}</h2>
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Loading />}
      {data?.notices.length === 0 && (
        <p class="muted">{t('notice.none')}</p>
      )}
      <ul class="rows">
        {data?.notices.map((n) => (
          <NoticeRow
            key={`${n.kind} ${n.subject}`}
            notice={n}
            onGone={reload}
          />
        ))}
      </ul>
    </section>
  );
}

function until(ban: Ban): string {
  return ban.until === null
    ? t('bans.for_good')
    : t('bans.until', { when: dateTime(ban.until) });
}

function BanRow({ ban, onGone }: { ban: Ban; onGone: () => void }) {
  const remove = async () => {
    try {
      await api.remove(`/bans/${api.enc(String(ban.id))}`);
    } catch (e) {
      toast(errorText(e), true);
    }
    onGone();
  };
  const facts = [
    t(`bans.${ban.kind}`),
    until(ban),
    ban.automatic ? t('bans.automatic') : (ban.by ?? ''),
    t('bans.hits', { n: number(ban.hits) }),
    visible(ban.reason),
  ];
  return (
    <li class="row">
      <span class="verdict verdict-deny">
        <Icon name="close" size={16} />
      </span>
      <span class="row-main">
        <bdi class="mono wrap">{visible(ban.what)}</bdi>
        <bdi class="muted small wrap">{facts.filter(Boolean).join(' · ')}</bdi>
      </span>
      <RowActions what={ban.what} onRemove={remove} />
    </li>
  );
}

function AddBan({ onAdded }: { onAdded: () => void }) {
  const [kind, setKind] = useState<Ban['kind']>('address');
  const [what, setWhat] = useState('');
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState('24');
  const { busy, submit, fields, message } = useSubmit(async () => {
    const seconds = Number(hours) * 3600;
    await api.post('/bans', {
      kind,
      what: what.trim(),
      reason: reason.trim(),
      ...(seconds > 0 ? { seconds } : {}),
    });
    setWhat('');
    setReason('');
    onAdded();
  });
  return (
    <form class="sub-form" onSubmit={submit}>
      <div class="form-grid">
        <Select
          label={t('bans.kind')}
          value={kind}
          options={KINDS.map((k) => [k, t(`bans.${k}`)] as const)}
          onValue={setKind}
        />
        <Select
          label={t('bans.time')}
          value={hours}
          options={TIMES.map((h) => [String(h), t(`bans.hours_${h}`)] as const)}
          onValue={setHours}
        />
      </div>
      <Text
        label={t(`bans.${kind}`)}
        hint={kind === 'address' ? t('bans.address_hint') : undefined}
        error={fields.what}
        value={what}
        onValue={setWhat}
        required
        mono
      />
      <Text
        label={t('bans.reason')}
        error={fields.reason}
        value={reason}
        onValue={setReason}
      />
      <FormError text={message} />
      <button class="button" disabled={busy}>
        <Icon name="add" size={18} />
        {t('bans.add')}
      </button>
    </form>
  );
}

function Bans() {
  const { data, error, reload } = useLoad(() =>
    api.get<{ bans: Ban[] }>('/bans'),
  );
  return (
    <section class="card" aria-label={t('bans.title')}>
      <h2>{t('bans.title')}</h2>
      <p class="muted">{t('bans.text')}</p>
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Loading />}
      {data?.bans.length === 0 && <p class="muted">{t('bans.none')}</p>}
      <ul class="rows">
        {data?.bans.map((b) => (
          <BanRow key={b.id} ban={b} onGone={reload} />
        ))}
      </ul>
      <AddBan onAdded={reload} />
    </section>
  );
}

export function ProtectionPage() {
  return (
    <>
      <Head title={t('nav.protection')} text={t('about.protection')} />
      <div class="columns">
        <Notices />
        <Bans />
      </div>
    </>
  );
}
