/* The address within the app lives behind the #: the server knows only "/",
 * and a link can be kept or shared. */
import { signal } from '@preact/signals';

export type Page =
  | 'home'
  | 'topics'
  | 'history'
  | 'pins'
  | 'clients'
  | 'users'
  | 'protection'
  | 'backup'
  | 'account'
  | 'more';

const PAGES: readonly string[] = [
  'home',
  'topics',
  'history',
  'pins',
  'clients',
  'users',
  'protection',
  'backup',
  'account',
  'more',
];

export interface Route {
  page: Page;
  params: URLSearchParams;
}

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const page = PAGES.includes(path) ? (path as Page) : 'home';
  return { page, params: new URLSearchParams(query) };
}

export const route = signal<Route>(parse(location.hash));

addEventListener('hashchange', () => {
  route.value = parse(location.hash);
});

export function href(page: Page, params: Record<string, string> = {}): string {
  const query = new URLSearchParams(params).toString();
  return `#/${page}${query ? `?${query}` : ''}`;
}
