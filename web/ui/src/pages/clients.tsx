import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { Client } from '../data/api';
import { visible } from '../data/payload';
import { ago, dateTime, number, plural, t } from '../i18n';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { Head } from '../ui/shell';
import { Empty, errorText, Failed, Loading, useEvery, useLoad } from '../ui/states';
import { toast } from '../ui/toast';

const REFRESH_MS = 5000;
const PAGE = 200;

function Subscriptions({ id }: { id: string }) {
  const { data, error } = useLoad(
    () =>
      api.get<{ subscriptions: { filter: string; qos: number }[] }>(
        `/clients/${api.enc(id)}/subscriptions`,
      ),
    id,
  );
  if (error) return <p class="bad">{errorText(error)}</p>;
  if (!data) return <Loading />;
  if (data.subscriptions.length === 0) {
    return <p class="muted">{t('clients.no_subscriptions')}</p>;
  }
  return (
    <ul class="filters">
      {data.subscriptions.map((s) => (
        <li key={s.filter}>
          <bdi class="mono">{visible(s.filter)}</bdi>
          <span class="chip">QoS {s.qos}</span>
        </li>
      ))}
    </ul>
  );
}

function facts(c: Client): [string, string][] {
  return [
    [t('clients.user'), c.user || t('clients.anonymous')],
    [t('clients.address'), c.address],
    [t('clients.protocol'), `MQTT ${c.protocol}, ${c.transport}`],
    [t('clients.since'), dateTime(c.since)],
    [t('clients.keep_alive'), `${number(c.keep_alive_s)} s`],
    [
      t('clients.session'),
      c.clean
        ? t('clients.clean')
        : c.expiry_s === null
          ? t('clients.forever')
          : t('clients.expires', { n: number(c.expiry_s) }),
    ],
    [t('clients.queued'), number(c.queued)],
    [t('clients.queued_bytes'), number(c.queued_bytes)],
    ...(c.oldest === null
      ? []
      : [[t('clients.oldest'), dateTime(c.oldest)] as [string, string]]),
    [t('clients.dropped'), number(c.dropped)],
    [t('clients.refused'), number(c.refused)],
    [t('clients.inflight'), number(c.inflight)],
    [t('clients.received'), number(c.received)],
    [t('clients.sent'), number(c.sent)],
  ];
}

function Detail({ client, onClose, onGone }: {
  client: Client;
  onClose: () => void;
  onGone: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const disconnect = async (session: boolean) => {
    setBusy(true);
    try {
      const query = session ? '?session=true' : '';
      await api.remove(`/clients/${api.enc(client.id)}${query}`);
      toast(t('clients.gone', { id: visible(client.id) }));
      onGone();
    } catch (e) {
      toast(errorText(e), true);
    }
    setBusy(false);
  };
  return (
    <Dialog title={visible(client.id)} onClose={onClose}>
      <dl class="facts">
        {facts(client).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <bdi>{visible(value)}</bdi>
            </dd>
          </div>
        ))}
      </dl>
      <h3>{t('clients.subscriptions')}</h3>
      <Subscriptions id={client.id} />
      <div class="actions">
        {!client.clean && (
          <button
            type="button"
            class="button button-danger"
            disabled={busy}
            onClick={() => disconnect(true)}
          >
            {t('clients.forget')}
          </button>
        )}
        {client.connected && (
          <button
            type="button"
            class="button button-danger"
            disabled={busy}
            onClick={() => disconnect(false)}
          >
            {t('clients.disconnect')}
          </button>
        )}
      </div>
    </Dialog>
  );
}

function Table({ clients, waiting, onOpen }: {
  clients: readonly Client[];
  waiting: boolean;
  onOpen: (c: Client) => void;
}) {
  return (
    <div class="card table-card">
      <table>
        <thead>
          <tr>
            <th scope="col">{t('clients.id')}</th>
            <th scope="col">{t('clients.user')}</th>
            <th scope="col" class="wide-only">
              {t('clients.address')}
            </th>
            <th scope="col" class="wide-only">
              {t('clients.protocol')}
            </th>
            <th scope="col" class="wide-only num">
              {t('clients.subscriptions')}
            </th>
            <th scope="col" class="mid-only num">
              {t(waiting ? 'clients.queued' : 'clients.messages')}
            </th>
            <th scope="col" class="mid-only">
              {t('clients.since')}
            </th>
          </tr>
        </thead>
        <tbody>
          {clients.map((c) => (
            <tr key={c.id} class={c.connected ? '' : 'faded'}>
              <td>
                <span class={c.connected ? 'dot dot-good' : 'dot'} />
                <button
                  type="button"
                  class="link-button mono"
                  onClick={() => onOpen(c)}
                >
                  <bdi>{visible(c.id)}</bdi>
                </button>
              </td>
              <td>
                <bdi>{visible(c.user || '–')}</bdi>
              </td>
              <td class="wide-only mono small">{c.address}</td>
              <td class="wide-only nowrap">
                {c.protocol} · {c.transport}
              </td>
              <td class="wide-only num">{number(c.subscriptions)}</td>
              <td class="mid-only num nowrap">
                {waiting
                  ? number(c.queued)
                  : `${number(c.received)} / ${number(c.sent)}`}
              </td>
              <td class="mid-only nowrap">
                {c.connected || waiting ? ago(c.since) : t('clients.away')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function found(c: Client, filter: string): boolean {
  const text = `${c.id} ${c.user} ${c.address}`.toLowerCase();
  return text.includes(filter.trim().toLowerCase());
}

const lists = ['all', 'ghosts', 'slow'] as const;
type Which = (typeof lists)[number];

function Choice({ which, onPick }: {
  which: Which;
  onPick: (which: Which) => void;
}) {
  return (
    <div class="segments" role="group" aria-label={t('clients.which')}>
      {lists.map((one) => (
        <button
          type="button"
          key={one}
          aria-pressed={one === which}
          onClick={() => onPick(one)}
        >
          {t(`clients.${one}`)}
        </button>
      ))}
    </div>
  );
}

export function ClientsPage() {
  const [limit, setLimit] = useState(PAGE);
  const [which, setWhich] = useState<Which>('all');
  const [filter, setFilter] = useState('');
  const [open, setOpen] = useState<Client | null>(null);
  const { data, error, reload } = useLoad(
    () =>
      api.get<{ clients: Client[]; next: unknown }>(
        `/clients?limit=${limit}&which=${which}`,
      ),
    which,
  );
  useEvery(REFRESH_MS, () => void reload());
  const clients = data?.clients.filter((c) => found(c, filter)) ?? [];
  const connected = clients.filter((c) => c.connected).length;
  return (
    <>
      <Head
        title={t('nav.clients')}
        text={
          data
            ? plural('clients.count_one', 'clients.count', connected)
            : t('about.clients')
        }
      >
        <label class="search">
          <Icon name="search" size={18} />
          <input
            type="search"
            value={filter}
            placeholder={t('clients.filter')}
            aria-label={t('clients.filter')}
            onInput={(e) => setFilter(e.currentTarget.value)}
          />
        </label>
      </Head>
      <Choice which={which} onPick={setWhich} />
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Loading />}
      {data && clients.length === 0 && (
        <section class="card">
          <Empty icon="clients" title={t('clients.none')} />
        </section>
      )}
      {clients.length > 0 && (
        <Table
          clients={clients}
          waiting={which !== 'all'}
          onOpen={setOpen}
        />
      )}
      {data?.next != null && limit < 1000 && (
        <button
          type="button"
          class="button"
          onClick={() => {
            setLimit(1000);
            setTimeout(() => void reload());
          }}
        >
          {t('clients.more')}
        </button>
      )}
      {open && (
        <Detail
          client={open}
          onClose={() => setOpen(null)}
          onGone={() => {
            setOpen(null);
            void reload();
          }}
        />
      )}
    </>
  );
}
