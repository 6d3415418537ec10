import { useState } from 'preact/hooks';
import * as api from '../data/api';
import type { User } from '../data/api';
import { session } from '../data/session';
import { t } from '../i18n';
import { Confirm } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { RowActions } from '../ui/row-actions';
import { Head } from '../ui/shell';
import { errorText, Failed, Loading, useLoad } from '../ui/states';
import { toast } from '../ui/toast';
import { Rules, TestRules } from './rules';
import { ShowPassword, UserEditor } from './user-editor';

interface Actions {
  onEdit: (u: User) => void;
  onRemove: (u: User) => void;
}

function UserRow({ user, onEdit, onRemove }: { user: User } & Actions) {
  const me = user.name === session.value?.user;
  return (
    <li class={user.enabled ? 'row' : 'row faded'}>
      <span class="row-icon">
        <Icon name={user.kind} />
      </span>
      <span class="row-main">
        <strong>
          <bdi>{user.name}</bdi>
        </strong>
        <span class="chips">
          {me && <span class="chip">{t('users.you')}</span>}
          {user.admin && <span class="chip">{t('users.admin')}</span>}
          {!user.enabled && <span class="chip">{t('users.disabled')}</span>}
        </span>
      </span>
      <RowActions
        what={user.name}
        onEdit={() => onEdit(user)}
        onRemove={() => onRemove(user)}
        stays={me}
      />
    </li>
  );
}

function UserList({ kind, users, onAdd, ...actions }: {
  kind: 'person' | 'device';
  users: readonly User[];
  onAdd: () => void;
} & Actions) {
  const list = users.filter((u) => u.kind === kind);
  const title = t(`users.${kind}s`);
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <button type="button" class="button" onClick={onAdd}>
          <Icon name="add" size={18} />
          {t(`users.add_${kind}`)}
        </button>
      </div>
      {list.length === 0 && <p class="muted">{t(`users.no_${kind}s`)}</p>}
      <ul class="rows">
        {list.map((u) => (
          <UserRow key={u.name} user={u} {...actions} />
        ))}
      </ul>
    </section>
  );
}

type Open =
  | { what: 'add'; kind: 'person' | 'device' }
  | { what: 'edit'; user: User }
  | { what: 'remove'; user: User }
  | { what: 'password'; name: string; password: string };

function Dialogs({ open, setOpen, reload }: {
  open: Open | null;
  setOpen: (o: Open | null) => void;
  reload: () => void;
}) {
  const close = () => setOpen(null);
  const saved = (name: string, password: string | undefined) => {
    setOpen(password ? { what: 'password', name, password } : null);
    reload();
  };
  const remove = async (name: string) => {
    try {
      await api.remove(`/users/${api.enc(name)}`);
    } catch (e) {
      toast(errorText(e), true);
    }
    close();
    reload();
  };
  switch (open?.what) {
    case 'add':
      return (
        <UserEditor
          user={null}
          kind={open.kind}
          onClose={close}
          onSaved={saved}
        />
      );
    case 'edit':
      return (
        <UserEditor
          user={open.user}
          kind={open.user.kind}
          onClose={close}
          onSaved={saved}
        />
      );
    case 'remove':
      return (
        <Confirm
          title={t('users.delete')}
          text={t('users.delete_sure', { name: open.user.name })}
          action={t('delete')}
          onConfirm={() => remove(open.user.name)}
          onClose={close}
        />
      );
    case 'password':
      return <ShowPassword {...open} onClose={close} />;
    default:
      return null;
  }
}

export function UsersPage() {
  const [open, setOpen] = useState<Open | null>(null);
  const { data, error, reload } = useLoad(() =>
    api.get<{ users: User[] }>('/users'),
  );
  const names = data?.users.map((u) => u.name) ?? [];
  return (
    <>
      <Head title={t('nav.users')} text={t('about.users')} />
      {error !== null && !data && <Failed error={error} retry={reload} />}
      {!data && !error && <Loading />}
      {data && (
        <div class="columns">
          {(['person', 'device'] as const).map((kind) => (
            <UserList
              key={kind}
              kind={kind}
              users={data.users}
              onAdd={() => setOpen({ what: 'add', kind })}
              onEdit={(user) => setOpen({ what: 'edit', user })}
              onRemove={(user) => setOpen({ what: 'remove', user })}
            />
          ))}
          <Rules users={names} />
          <TestRules users={names} />
        </div>
      )}
      <Dialogs open={open} setOpen={setOpen} reload={reload} />
    </>
  );
}
