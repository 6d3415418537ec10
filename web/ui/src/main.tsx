import { render } from 'preact';
import { App } from './app';
import { followBoards } from './data/board';
import { refreshSession } from './data/session';
import { startLanguage } from './i18n';
import { startTheme } from './ui/theme';

async function start(root: HTMLElement): Promise<void> {
  startTheme();
  followBoards();
  await Promise.all([startLanguage(), refreshSession()]);
  render(<App />, root);
}

const root = document.getElementById('app');
if (root !== null) void start(root);
