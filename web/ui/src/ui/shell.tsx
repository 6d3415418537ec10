import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { anyOffline } from '../data/board';
import { linkReason, linkState } from '../data/link';
import { session } from '../data/session';
import { status } from '../data/status';
import { t } from '../i18n';
import { Icon, Logo } from './icon';
import type { IconName } from './icon-paths';
import { href, route } from './route';
import type { Page } from './route';

interface Item {
  page: Page;
  icon: IconName;
  admin?: boolean;
}

const ITEMS: readonly Item[] = [
  { page: 'home', icon: 'home' },
  { page: 'topics', icon: 'topics' },
  { page: 'history', icon: 'history' },
  { page: 'pins', icon: 'pins' },
  { page: 'clients', icon: 'clients', admin: true },
  { page: 'users', icon: 'users', admin: true },
  { page: 'protection', icon: 'shield', admin: true },
  { page: 'backup', icon: 'archive', admin: true },
  { page: 'account', icon: 'account' },
];

/* What fits into a phone's bottom bar; the rest is behind "more". */
const BAR: readonly Item[] = [
  ...ITEMS.slice(0, 4),
  { page: 'more', icon: 'more' },
];

export function pagesFor(admin: boolean): readonly Item[] {
  return ITEMS.filter((i) => admin || !i.admin);
}

function NavLink({ item, current }: { item: Item; current: boolean }) {
  return (
    <a
      class="nav-link"
      href={href(item.page)}
      aria-current={current ? 'page' : undefined}
    >
      <Icon name={item.icon} size={22} />
      <span>{t(`nav.${item.page}`)}</span>
    </a>
  );
}

function LinkBadge() {
  const state = linkState.value;
  return (
    <span class={`badge link-${state}`} role="status">
      <span class="dot" />
      {t(`link.${state}`)}
    </span>
  );
}

function Banner({ text, bad }: { text: string; bad?: boolean }) {
  return (
    <div class={bad ? 'banner banner-bad' : 'banner'} role="status">
      <Icon name="warning" />
      <span>{text}</span>
    </div>
  );
}

function offlineText(): string {
  const r = linkReason.value;
  if (r === 0x86 || r === 0x87) return t('banner.refused');
  return t('banner.offline');
}

function Banners() {
  const store = status.value?.store.state;
  return (
    <>
      {linkState.value === 'offline' && <Banner bad text={offlineText()} />}
      {linkState.value === 'online' &&
        route.value.page === 'home' &&
        anyOffline.value.map((node) => (
          <Banner key={node} bad text={t('banner.board', { node })} />
        ))}
      {store === 'degraded' && <Banner bad text={t('banner.store')} />}
      {store === 'refusing' && <Banner bad text={t('banner.refusing')} />}
      {store === 'memory' && <Banner bad text={t('banner.memory')} />}
    </>
  );
}

function Side({ items }: { items: readonly Item[] }) {
  const s = session.value;
  return (
    <header class="side">
      <a class="brand" href={href('home')}>
        <Logo />
        <span>
          <strong>{s?.node}</strong>
          <small>hearth</small>
        </span>
      </a>
      <nav aria-label={t('nav.label')}>
        {items.map((i) => (
          <NavLink
            key={i.page}
            item={i}
            current={route.value.page === i.page}
          />
        ))}
      </nav>
      <div class="side-foot">
        <LinkBadge />
      </div>
    </header>
  );
}

function Top() {
  const s = session.value;
  return (
    <header class="top">
      <a class="brand" href={href('home')}>
        <Logo size={30} />
        <strong>{s?.node}</strong>
      </a>
      <LinkBadge />
    </header>
  );
}

function Bar({ admin }: { admin: boolean }) {
  const here = route.value.page;
  const inBar = BAR.some((i) => i.page === here);
  const hidden = !inBar && pagesFor(admin).some((i) => i.page === here);
  return (
    <nav class="bar" aria-label={t('nav.label')}>
      {BAR.map((i) => (
        <NavLink
          key={i.page}
          item={i}
          current={i.page === here || (hidden && i.page === 'more')}
        />
      ))}
    </nav>
  );
}

/* The frame around each page: a side bar where there is room, a bottom bar on
 * a phone. Exactly one of the two is displayed. */
export function Shell({ children }: { children: ComponentChildren }) {
  const main = useRef<HTMLElement>(null);
  const admin = session.value?.admin ?? false;
  const page = route.value.page;
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    first.current = false;
  }, [page]);
  return (
    <div class="shell">
      <a
        class="skip"
        href="#main"
        onClick={(e) => {
          e.preventDefault();
          main.current?.focus();
        }}
      >
        {t('skip')}
      </a>
      <Side items={pagesFor(admin)} />
      <Top />
      <main id="main" ref={main} tabIndex={-1}>
        <Banners />
        {children}
      </main>
      <Bar admin={admin} />
    </div>
  );
}

interface HeadProps {
  title: string;
  text?: string | undefined;
  children?: ComponentChildren;
}

/* A page's title, a line about it, and its main actions. */
export function Head({ title, text, children }: HeadProps) {
  return (
    <div class="head">
      <div>
        <h1>{title}</h1>
        {text && <p class="muted">{text}</p>}
      </div>
      {children && <div class="head-actions">{children}</div>}
    </div>
  );
}

