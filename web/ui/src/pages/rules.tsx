import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Rule, Verdict } from '../data/api';
import { visible } from '../data/payload';
import { session } from '../data/session';
import { t } from '../i18n';
import { FormError, Select, Text, useSubmit } from '../ui/form';
import { Icon } from '../ui/icon';
import { RowActions } from '../ui/row-actions';
import { errorText, Failed, Loading, useLoad } from '../ui/states';
import { toast } from '../ui/toast';

const ACTIONS = ['readwrite', 'read', 'write'] as const;
const EFFECTS = ['allow', 'deny'] as const;

function userOptions(users: readonly string[]): [string, string][] {
  return [['*', t('rules.everyone')], ...users.map((u) => [u, u] as [string, string])];
}

const whose = (rule: Rule) =>
  rule.user === '*' ? t('rules.everyone') : rule.user;

/* By who they are for; those for everyone first. */
function byUser(rules: readonly Rule[]): [string, Rule[]][] {
  const groups = new Map<string, Rule[]>();
  for (const r of rules) groups.set(r.user, [...(groups.get(r.user) ?? []), r]);
  return [...groups].sort(([a], [b]) =>
    a === '*' ? -1 : b === '*' ? 1 : a.localeCompare(b),
  );
}

function RuleRow({ rule, onGone }: { rule: Rule; onGone: () => void }) {
  const remove = async () => {
    try {
      await api.remove(`/acl/${api.enc(String(rule.id))}`);
    } catch (e) {
      toast(errorText(e), true);
    }
    onGone();
  };
  const who = whose(rule);
  return (
    <li class="row">
      <span class={`verdict verdict-${rule.effect}`}>
        <Icon name={rule.effect === 'allow' ? 'check' : 'close'} size={16} />
      </span>
      <span class="row-main">
        <bdi class="mono wrap">{visible(rule.filter)}</bdi>
        <span class="muted small">
          {t(`rules.${rule.action}`)} · {t(`rules.${rule.effect}`)}
        </span>
      </span>
      <RowActions what={`${who} ${rule.filter}`} onRemove={remove} />
    </li>
  );
}

function AddRule({ users, onAdded }: {
  users: readonly string[];
  onAdded: () => void;
}) {
  const [user, setUser] = useState('*');
  const [filter, setFilter] = useState('');
  const [action, setAction] = useState<Rule['action']>('readwrite');
  const [effect, setEffect] = useState<Rule['effect']>('allow');
  const { busy, submit, fields, message } = useSubmit(async () => {
    await api.post('/acl', { user, filter: filter.trim(), action, effect });
    setFilter('');
    onAdded();
  });
  return (
    <form class="sub-form" onSubmit={submit}>
      <Text
        label={t('rules.filter')}
        hint={t('rules.filter_hint')}
        error={fields.filter}
        value={filter}
        onValue={setFilter}
        required
        mono
      />
      <div class="form-grid form-grid-3">
        <Select
          label={t('rules.user')}
          value={user}
          options={userOptions(users)}
          onValue={setUser}
        />
        <Select
          label={t('rules.action')}
          value={action}
          options={ACTIONS.map((a) => [a, t(`rules.${a}`)] as const)}
          onValue={setAction}
        />
        <Select
          label={t('rules.effect')}
          value={effect}
          options={EFFECTS.map((e) => [e, t(`rules.${e}`)] as const)}
          onValue={setEffect}
        />
      </div>
      <FormError text={message} />
      <button class="button" disabled={busy}>
        <Icon name="add" size={18} />
        {t('rules.add')}
      </button>
    </form>
  );
}

export function Rules({ users }: { users: readonly string[] }) {
  const { data, error, reload } = useLoad(() =>
    api.get<{ rules: Rule[] }>('/acl'),
  );
  return (
    <section class="card" aria-label={t('rules.title')}>
      <h2>{t('rules.title')}</h2>
      <p class="muted">{t('rules.text')}</p>
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Loading />}
      {data?.rules.length === 0 && <p class="muted">{t('rules.none')}</p>}
      {byUser(data?.rules ?? []).map(([user, rules]) => (
        <div key={user} class="group">
          <h3>
            <bdi>{visible(whose(rules[0]!))}</bdi>
          </h3>
          <ul class="rows">
            {rules.map((r) => (
              <RuleRow key={r.id} rule={r} onGone={reload} />
            ))}
          </ul>
        </div>
      ))}
      <AddRule users={users} onAdded={reload} />
    </section>
  );
}

/* "May the tablet switch the heating?" - the box answers, and says why. */
export function TestRules({ users }: { users: readonly string[] }) {
  const [user, setUser] = useState(session.value?.user ?? '');
  const [action, setAction] = useState<'read' | 'write'>('write');
  const [topic, setTopic] = useState('');
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const { busy, submit, fields, message } = useSubmit(async () => {
    setVerdict(null);
    setVerdict(
      await api.post<Verdict>('/acl/test', { user, action, topic: topic.trim() }),
    );
  });
  return (
    <section class="card" aria-label={t('rules.test')}>
      <h2>{t('rules.test')}</h2>
      <p class="muted">{t('rules.test_text')}</p>
      <form onSubmit={submit}>
        <div class="form-grid">
          <Select
            label={t('rules.user')}
            value={user}
            options={users.map((u) => [u, u] as const)}
            onValue={setUser}
          />
          <Select
            label={t('rules.action')}
            value={action}
            options={[
              ['write', t('rules.write')],
              ['read', t('rules.read')],
            ]}
            onValue={setAction}
          />
        </div>
        <Text
          label={t('topic')}
          error={fields.topic}
          value={topic}
          onValue={setTopic}
          required
          mono
        />
        <FormError text={message} />
        <button class="button" disabled={busy}>
          <Icon name="shield" size={18} />
          {t('rules.test_do')}
        </button>
      </form>
      <div role="status" class="test-result">
        {verdict && (
          <>
            <span
              class={`verdict verdict-${verdict.allowed ? 'allow' : 'deny'}`}
            >
              <Icon name={verdict.allowed ? 'check' : 'close'} size={16} />
            </span>
            <span>
              <strong>
                {t(verdict.allowed ? 'rules.allowed' : 'rules.denied')}
              </strong>
              <span class="muted">{verdict.reason}</span>
            </span>
          </>
        )}
      </div>
    </section>
  );
}
