import type { ComponentChildren } from 'preact';
import { t } from '../i18n';
import { Icon } from './icon';
import { toast } from './toast';

/* The end of a dialog that shows a secret, which it does this one time only. */
export function SecretActions({ text, onClose, children }: {
  text: string;
  onClose: () => void;
  /* Between copying it and the end. */
  children?: ComponentChildren;
}) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    toast(t('copied'));
  };
  return (
    <div class="actions">
      {/* Only there over HTTPS and on localhost; it can be selected anyway. */}
      {'clipboard' in navigator && (
        <button type="button" class="button" onClick={() => void copy()}>
          <Icon name="copy" size={18} />
          {t('copy')}
        </button>
      )}
      {children}
      <button type="button" class="button button-main" onClick={onClose}>
        {t('done')}
      </button>
    </div>
  );
}
