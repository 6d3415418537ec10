/* What is recorded of which topics, and what recording may write in a day. */
import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { HistoryPolicy, HistoryStatus } from '../data/api';
import { visible } from '../data/payload';
import { number, t } from '../i18n';
import { Dialog } from '../ui/dialog';
import { Check, FormActions, FormError, Text, useSubmit } from '../ui/form';
import { Icon } from '../ui/icon';
import { RowActions } from '../ui/row-actions';
import { errorText, Failed, Loading, useLoad } from '../ui/states';
import { toast } from '../ui/toast';

const NEW: HistoryPolicy = {
  filter: '',
  keep: true,
  on_change: false,
  averages: true,
  min_interval_ms: 0,
  days: 0,
  rows: 0,
};

const whole = (text: string) => (text.trim() === '' ? 0 : Number(text));
const shown = (n: number) => (n === 0 ? '' : String(n));

function PolicyEditor({ policy, onClose, onSaved }: {
  policy: HistoryPolicy;
  onClose: () => void;
  onSaved: () => void;
}) {
  const isNew = policy.filter === '';
  const [filter, setFilter] = useState(policy.filter);
  const [keep, setKeep] = useState(policy.keep);
  const [onChange, setOnChange] = useState(policy.on_change);
  const [averages, setAverages] = useState(policy.averages);
  const [interval, setInterval] = useState(shown(policy.min_interval_ms / 1000));
  const [days, setDays] = useState(shown(policy.days));
  const [rows, setRows] = useState(shown(policy.rows));
  const { busy, submit, fields, message } = useSubmit(async () => {
    await api.put(`/history/policies/${api.enc(filter.trim())}`, {
      keep,
      on_change: onChange,
      averages,
      min_interval_ms: Math.round(whole(interval) * 1000),
      days: whole(days),
      rows: whole(rows),
    });
    onSaved();
  });
  const title = isNew ? t('policies.add') : t('edit_what', { what: filter });
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {isNew && (
          <Text
            label={t('rules.filter')}
            hint={t('rules.filter_hint')}
            value={filter}
            onValue={setFilter}
            required
            mono
          />
        )}
        <Check
          label={t('policies.keep')}
          hint={t('policies.keep_hint')}
          value={keep}
          onValue={setKeep}
        />
        {keep && (
          <>
            <Check
              label={t('policies.on_change')}
              value={onChange}
              onValue={setOnChange}
            />
            <Check
              label={t('policies.averages')}
              hint={t('policies.averages_hint')}
              value={averages}
              onValue={setAverages}
            />
            <Text
              label={t('policies.interval')}
              hint={t('policies.interval_hint')}
              error={fields.min_interval_ms}
              type="number"
              min={0}
              max={86400}
              value={interval}
              onValue={setInterval}
            />
            <Text
              label={t('policies.days')}
              hint={t('policies.days_hint')}
              error={fields.days}
              type="number"
              min={0}
              max={3660}
              value={days}
              onValue={setDays}
            />
            <Text
              label={t('policies.rows')}
              hint={t('policies.rows_hint')}
              error={fields.rows}
              type="number"
              min={0}
              max={100000000}
              value={rows}
              onValue={setRows}
            />
          </>
        )}
        <FormError text={message} />
        <FormActions busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}

function summary(p: HistoryPolicy): string {
  if (!p.keep) return t('policies.off');
  const parts: string[] = [];
  if (p.on_change) parts.push(t('policies.on_change'));
  if (p.min_interval_ms > 0) {
    const n = number(p.min_interval_ms / 1000);
    parts.push(t('policies.every', { n }));
  }
  if (p.days > 0) parts.push(t('policies.for_days', { n: number(p.days) }));
  if (p.rows > 0) parts.push(t('policies.at_most', { n: number(p.rows) }));
  if (!p.averages) parts.push(t('policies.no_averages'));
  return parts.length > 0 ? parts.join(' · ') : t('policies.all');
}

function PolicyRow({ policy, onEdit, onGone }: {
  policy: HistoryPolicy;
  onEdit: () => void;
  onGone: () => void;
}) {
  const remove = async () => {
    try {
      await api.remove(`/history/policies/${api.enc(policy.filter)}`);
    } catch (e) {
      toast(errorText(e), true);
    }
    onGone();
  };
  return (
    <li class="row">
      <span class="row-main">
        <bdi class="mono wrap">{visible(policy.filter)}</bdi>
        <span class="muted small">{summary(policy)}</span>
      </span>
      <RowActions what={policy.filter} onEdit={onEdit} onRemove={remove} />
    </li>
  );
}

const megabytes = (bytes: number) =>
  number(Math.round((bytes / 1048576) * 10) / 10);

function Budget({ status, onSaved }: {
  status: HistoryStatus;
  onSaved: () => void;
}) {
  const [days, setDays] = useState(String(status.days));
  const [budget, setBudget] = useState(String(status.budget_mb));
  const { busy, submit, fields, message } = useSubmit(async () => {
    await api.put('/history/limits', {
      days: whole(days),
      budget_mb: whole(budget),
    });
    onSaved();
  });
  const limit = status.budget_mb * 1048576;
  const used = t(limit > 0 ? 'policies.written_of' : 'policies.written', {
    n: megabytes(status.written),
    max: number(status.budget_mb),
  });
  return (
    <form class="sub-form" onSubmit={submit}>
      <p>{used}</p>
      {limit > 0 && (
        <progress
          class="budget"
          max={limit}
          value={Math.min(status.written, limit)}
          aria-label={used}
        />
      )}
      {status.thinned > 0 && (
        <p class="muted small">
          {t('policies.thinned', { n: number(status.thinned) })}
        </p>
      )}
      {status.failing && <p class="form-error">{t('policies.failing')}</p>}
      <div class="form-grid">
        <Text
          label={t('policies.usual_days')}
          error={fields.days}
          type="number"
          min={1}
          max={3660}
          value={days}
          onValue={setDays}
          required
        />
        <Text
          label={t('policies.budget')}
          hint={t('policies.budget_hint')}
          error={fields.budget_mb}
          type="number"
          min={0}
          max={100000}
          value={budget}
          onValue={setBudget}
          required
        />
      </div>
      <FormError text={message} />
      <button class="button" disabled={busy}>
        {t('save')}
      </button>
    </form>
  );
}

export function HistoryPolicies() {
  const [edited, setEdited] = useState<HistoryPolicy | null>(null);
  const { data, error, reload } = useLoad(async () => {
    const [list, status] = await Promise.all([
      api.get<{ policies: HistoryPolicy[] }>('/history/policies'),
      api.get<HistoryStatus>('/history/status'),
    ]);
    return { policies: list.policies, status };
  });
  const saved = () => {
    setEdited(null);
    toast(t('saved'));
    void reload();
  };
  return (
    <section class="card" aria-label={t('policies.title')}>
      <h2>{t('policies.title')}</h2>
      <p class="muted">{t('policies.text')}</p>
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Loading />}
      {data?.policies.length === 0 && (
        <p class="muted">{t('policies.none')}</p>
      )}
      {data && (
        <>
          <ul class="rows">
            {data.policies.map((p) => (
              <PolicyRow
                key={p.filter}
                policy={p}
                onEdit={() => setEdited(p)}
                onGone={reload}
              />
            ))}
          </ul>
          <button type="button" class="button" onClick={() => setEdited(NEW)}>
            <Icon name="add" size={18} />
            {t('policies.add')}
          </button>
          <Budget status={data.status} onSaved={saved} />
        </>
      )}
      {edited && (
        <PolicyEditor
          policy={edited}
          onClose={() => setEdited(null)}
          onSaved={saved}
        />
      )}
    </section>
  );
}
