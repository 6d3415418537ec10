/* The dialogs of satellites: made, given another credential, and the file that a
 * satellite joins by. */
import { useState } from 'preact/hooks';
import * as api from '../data/api';
import { nodes } from '../data/nodes';
import type { Joined } from '../data/nodes';
import { t } from '../i18n';
import { Dialog } from '../ui/dialog';
import { FormActions, FormError, Text, useSubmit } from '../ui/form';
import { Icon } from '../ui/icon';
import { SecretActions } from '../ui/secret';

interface Props {
  onClose: () => void;
  onJoined: (joined: Joined) => void;
}

const addressOf = (hub: string) => (hub.trim() ? { hub: hub.trim() } : {});

function Hub({ value, onValue, error }: {
  value: string;
  onValue: (v: string) => void;
  error: string | undefined;
}) {
  return (
    <Text
      label={t('nodes.hub')}
      hint={t('nodes.hub_hint')}
      error={error}
      value={value}
      onValue={onValue}
      autocomplete="off"
      mono
    />
  );
}

export function AddSatellite({ onClose, onJoined }: Props) {
  const [name, setName] = useState('');
  const [hub, setHub] = useState('');
  const { busy, submit, fields, message } = useSubmit(async () => {
    onJoined(
      await api.put<Joined>(
        `/nodes/${api.enc(name.trim() || '-')}`,
        addressOf(hub),
      ),
    );
  });
  return (
    <Dialog title={t('nodes.add')} onClose={onClose}>
      <p>{t('nodes.add_text')}</p>
      {nodes.value?.can_add === false && (
        <p class="bad">{t('nodes.no_listener')}</p>
      )}
      <form onSubmit={submit}>
        <Text
          label={t('nodes.name')}
          hint={t('nodes.name_hint')}
          error={fields.name}
          value={name}
          onValue={setName}
          autocomplete="off"
          required
          mono
        />
        <Hub value={hub} onValue={setHub} error={fields.hub} />
        <FormError text={message} />
        <FormActions busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}

export function RenewSatellite({ name, onClose, onJoined }: Props & {
  name: string;
}) {
  const [hub, setHub] = useState('');
  const { busy, submit, fields, message } = useSubmit(async () => {
    onJoined(
      await api.post<Joined>(
        `/nodes/${api.enc(name)}/credential`,
        addressOf(hub),
      ),
    );
  });
  return (
    <Dialog title={t('nodes.renew', { name })} onClose={onClose}>
      <p>{t('nodes.renew_text')}</p>
      <form onSubmit={submit}>
        <Hub value={hub} onValue={setHub} error={fields.hub} />
        <FormError text={message} />
        <FormActions
          busy={busy}
          onClose={onClose}
          action={t('nodes.renew_do')}
        />
      </form>
    </Dialog>
  );
}

function download(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const a = document.createElement('a');
  a.href = url;
  a.download = 'satellite.conf';
  a.click();
  URL.revokeObjectURL(url);
}

export function ShowJoin({ joined, onClose }: {
  joined: Joined;
  onClose: () => void;
}) {
  return (
    <Dialog
      title={t('nodes.joins', { name: joined.name })}
      onClose={onClose}
      wide
    >
      <p>{t('nodes.join_text')}</p>
      <pre
        class="secret mono join"
        tabIndex={0}
        role="region"
        aria-label={t('nodes.join_label')}
      >
        {joined.join}
      </pre>
      <p class="mono small wrap">{t('nodes.join_how')}</p>
      <SecretActions text={joined.join} onClose={onClose}>
        <button
          type="button"
          class="button"
          onClick={() => download(joined.join)}
        >
          <Icon name="download" size={18} />
          {t('nodes.download')}
        </button>
      </SecretActions>
    </Dialog>
  );
}
