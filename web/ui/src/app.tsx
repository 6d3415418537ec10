import { useEffect } from 'preact/hooks';
import { ApiError } from './data/api';
import { refreshSession, session } from './data/session';
import { t } from './i18n';
import { AccountPage } from './pages/account';
import { BackupPage } from './pages/backup';
import { ClaimPage } from './pages/claim';
import { ClientsPage } from './pages/clients';
import { HistoryPage } from './pages/history';
import { HomePage } from './pages/home';
import { LoginPage } from './pages/login';
import { MorePage } from './pages/more';
import { PinsPage } from './pages/pins';
import { ProtectionPage } from './pages/protection';
import { TopicsPage } from './pages/topics';
import { UsersPage } from './pages/users';
import { route } from './ui/route';
import type { Page } from './ui/route';
import { Shell } from './ui/shell';
import { Failed, Loading } from './ui/states';
import { Toasts } from './ui/toast';

const pages: Record<Page, () => preact.JSX.Element> = {
  home: HomePage,
  topics: TopicsPage,
  history: HistoryPage,
  pins: PinsPage,
  clients: ClientsPage,
  users: UsersPage,
  protection: ProtectionPage,
  backup: BackupPage,
  account: AccountPage,
  more: MorePage,
};

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
