import { useEffect } from 'preact/hooks';
import { ApiError } from './data/api';
import { refreshSession, session } from './data/session';
import { t } from './i18n';
import { HomePage } from './pages/home';
import { LoginPage } from './pages/login';
import { lazy } from './ui/lazy';
import { route } from './ui/route';
import type { Page } from './ui/route';
import { Shell } from './ui/shell';
import { Failed, Loading } from './ui/states';
import { Toasts } from './ui/toast';

/* Home and what leads there come at once, the others when they are wanted. */
const pages: Record<Page, () => preact.JSX.Element> = {
  home: HomePage,
  topics: lazy(async () => (await import('./pages/topics')).TopicsPage),
  history: lazy(async () => (await import('./pages/history')).HistoryPage),
  pins: lazy(async () => (await import('./pages/pins')).PinsPage),
  clients: lazy(async () => (await import('./pages/clients')).ClientsPage),
  users: lazy(async () => (await import('./pages/users')).UsersPage),
  protection: lazy(
    async () => (await import('./pages/protection')).ProtectionPage,
  ),
  backup: lazy(async () => (await import('./pages/backup')).BackupPage),
  account: lazy(async () => (await import('./pages/account')).AccountPage),
  more: lazy(async () => (await import('./pages/more')).MorePage),
};
const ClaimPage = lazy(async () => (await import('./pages/claim')).ClaimPage);

function Content() {
  const s = session.value;
  if (s === undefined) return <Loading />;
  if (s === null) {
    return (
      <main class="gate">
        <Failed error={new ApiError(0, {})} retry={() => void refreshSession()} />
      </main>
    );
  }
  if (!s.claimed) return <ClaimPage />;
  if (!s.authenticated) return <LoginPage />;
  const Current = pages[route.value.page];
  return (
    <Shell>
      <Current key={route.value.page} />
    </Shell>
  );
}

export function App() {
  const page = route.value.page;
  const inside = session.value?.authenticated;
  useEffect(() => {
    const node = session.value?.node;
    const where = inside ? `${t(`nav.${page}`)} · ` : '';
    document.title = `${where}${node ?? ''}${node ? ' · ' : ''}hearth`;
  });
  return (
    <>
      <Content />
      <Toasts />
    </>
  );
}
