/* The boards of the house on the page of the pins: which of them is meant, and
 * satellites made, renewed and removed. */
import { useState } from 'preact/hooks';
import * as api from '../data/api';
import { boards } from '../data/board';
import { chosen, keyOf, loadNodes, nodes } from '../data/nodes';
import type { Joined, Node } from '../data/nodes';
import { session } from '../data/session';
import { plural, t } from '../i18n';
import { Confirm } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { RowActions } from '../ui/row-actions';
import { errorText, useEvery, useLoad } from '../ui/states';
import { toast } from '../ui/toast';
import { AddSatellite, RenewSatellite, ShowJoin } from './satellite';

/* How soon a board that comes is seen. */
const LOOK_MS = 3000;

function facts(node: Node): string {
  const parts = [
    node.own && t('nodes.own'),
    node.backend === null && t('nodes.never'),
    node.backend === 'sim' ? t('nodes.simulated') : node.board?.name,
    plural('nodes.pins_one', 'nodes.pins', node.pins),
    node.devices > 0 &&
      plural('nodes.devices_one', 'nodes.devices', node.devices),
    node.pending && node.backend !== null && t('nodes.pending'),
  ];
  return parts.filter(Boolean).join(' · ');
}

function BoardRow({ node, onRenew, onRemove }: {
  node: Node;
  onRenew: () => void;
  onRemove: () => void;
}) {
  const key = keyOf(node);
  /* What the board says itself is newer than what was asked for. */
  const said = boards.value.get(node.name);
  const online = said ? said === 'online' : node.online;
  return (
    <li class="row board-row">
      <button
        type="button"
        class="board-choice"
        aria-pressed={chosen.value === key}
        onClick={() => (chosen.value = key)}
      >
        <span class="row-icon">
          <Icon name="pins" />
        </span>
        <span class="row-main">
          <strong>
            <bdi>{node.name}</bdi>
          </strong>
          <span class="muted small">{facts(node)}</span>
          {node.errors > 0 && (
            <span class="bad small">
              {plural('nodes.errors_one', 'nodes.errors', node.errors)}
            </span>
          )}
        </span>
        <span class={online ? 'chip' : 'chip bad'}>
          {t(online ? 'nodes.online' : 'nodes.offline')}
        </span>
      </button>
      {session.value?.admin && !node.own && (
        <span class="row-actions">
          <button
            type="button"
            class="icon-button"
            aria-label={t('nodes.renew', { name: node.name })}
            onClick={onRenew}
          >
            <Icon name="key" size={18} />
          </button>
          <RowActions what={node.name} onRemove={onRemove} />
        </span>
      )}
    </li>
  );
}

type Open =
  | { what: 'add' }
  | { what: 'renew'; name: string }
  | { what: 'remove'; name: string }
  | { what: 'join'; joined: Joined };

function Dialogs({ open, setOpen, changed }: {
  open: Open | null;
  setOpen: (o: Open | null) => void;
  changed: () => void;
}) {
  const close = () => setOpen(null);
  const onJoined = (joined: Joined) => {
    setOpen({ what: 'join', joined });
    changed();
  };
  const remove = async (name: string) => {
    try {
      await api.remove(`/nodes/${api.enc(name)}`);
    } catch (e) {
      toast(errorText(e), true);
    }
    close();
    changed();
  };
  switch (open?.what) {
    case 'add':
      return <AddSatellite onClose={close} onJoined={onJoined} />;
    case 'renew':
      return (
        <RenewSatellite name={open.name} onClose={close} onJoined={onJoined} />
      );
    case 'remove':
      return (
        <Confirm
          title={t('nodes.delete')}
          text={t('nodes.delete_sure', { name: open.name })}
          action={t('delete')}
          onConfirm={() => remove(open.name)}
          onClose={close}
        />
      );
    case 'join':
      return <ShowJoin joined={open.joined} onClose={close} />;
    default:
      return null;
  }
}

/* Of one board alone there is nothing to say but that there may be more. */
export function Boards({ reload }: { reload: () => void }) {
  const [open, setOpen] = useState<Open | null>(null);
  const look = useLoad(loadNodes);
  const all = nodes.value?.nodes ?? [];
  const admin = session.value?.admin ?? false;
  const now = all.find((n) => keyOf(n) === chosen.value);

  useEvery(LOOK_MS, () => {
    if (all.length < 2) return;
    void look.reload();
    /* Its lines come with its first report. */
    if (now && (now.pending || now.backend === null)) reload();
  });
  const add = admin && (
    <button
      type="button"
      class="button"
      onClick={() => setOpen({ what: 'add' })}
    >
      <Icon name="add" size={18} />
      {t('nodes.add')}
    </button>
  );
  return (
    <>
      {all.length < 2 && add && <p class="boards-add">{add}</p>}
      {all.length > 1 && (
        <section class="card boards" aria-label={t('nodes.title')}>
          <div class="card-head">
            <h2>{t('nodes.title')}</h2>
            {add}
          </div>
          <p class="muted small">{t('nodes.text')}</p>
          <ul class="rows">
            {all.map((node) => (
              <BoardRow
                key={node.name}
                node={node}
                onRenew={() => setOpen({ what: 'renew', name: node.name })}
                onRemove={() => setOpen({ what: 'remove', name: node.name })}
              />
            ))}
          </ul>
        </section>
      )}
      <Dialogs open={open} setOpen={setOpen} changed={look.reload} />
    </>
  );
}
