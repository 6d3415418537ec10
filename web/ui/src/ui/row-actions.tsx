import { t } from '../i18n';
import { Icon } from './icon';

interface Props {
  /* The name of what is in the row. */
  what: string;
  onEdit?: () => void;
  onRemove: () => void;
  /* It cannot be removed. */
  stays?: boolean;
}

/* The buttons at the end of a row. */
export function RowActions({ what, onEdit, onRemove, stays }: Props) {
  return (
    <span class="row-actions">
      {onEdit && (
        <button
          type="button"
          class="icon-button"
          aria-label={t('edit_what', { what })}
          onClick={onEdit}
        >
          <Icon name="edit" size={18} />
        </button>
      )}
      <button
        type="button"
        class="icon-button"
        aria-label={t('delete_what', { what })}
        disabled={stays}
        onClick={onRemove}
      >
        <Icon name="remove" size={18} />
      </button>
    </span>
  );
}
