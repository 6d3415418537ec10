import { session } from '../data/session';
import { t } from '../i18n';
import { Icon } from '../ui/icon';
import { href } from '../ui/route';
import { Head, pagesFor } from '../ui/shell';

/* What does not fit into a phone's bottom bar. */
export function MorePage() {
  const items = pagesFor(session.value?.admin ?? false).slice(4);
  return (
    <>
      <Head title={t('nav.more')} />
      <ul class="card rows">
        {items.map((i) => (
          <li key={i.page}>
            <a class="row-link" href={href(i.page)}>
              <Icon name={i.icon} size={22} />
              <span class="row-main">
                <strong>{t(`nav.${i.page}`)}</strong>
                <span class="muted">{t(`about.${i.page}` as 'about.users')}</span>
              </span>
              <Icon name="right" />
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
