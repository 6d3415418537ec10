/* What every page says: buttons, errors, the way between pages, the banner. */
export const common = {
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  saved: 'Saved',
  delete: 'Delete',
  done: 'Done',
  copy: 'Copy',
  copied: 'Copied.',
  retry: 'Try again',
  loading: 'Loading…',
  skip: 'Skip to content',
  topic: 'Topic',
  payload: 'Payload',
  password: 'Password',

  'password.hint': 'At least {n} characters.',

  edit_what: 'Edit {what}',
  delete_what: 'Delete {what}',

  'error.unreachable': 'The box cannot be reached.',
  'error.unexpected': 'That should not happen: {what}',
  'error.slow_down': 'Too many attempts. Try again in {seconds} s.',

  'nav.label': 'Pages',
  'nav.home': 'Home',
  'nav.topics': 'Topics',
  'nav.history': 'History',
  'nav.pins': 'Pins',
  'nav.clients': 'Clients',
  'nav.users': 'Users',
  'nav.protection': 'Protection',
  'nav.backup': 'Backup',
  'nav.account': 'Account',
  'nav.more': 'More',

  'about.topics': 'Everything that is published, as it happens.',
  'about.history': 'What happened, when, and who did it.',
  'about.pins': 'What hangs on the board, and where.',
  'about.clients': 'Who is connected to the broker.',
  'about.users': 'People, devices, and what each may do.',
  'about.protection': 'What somebody should look at, and who is kept out.',
  'about.backup': 'Everything the hub has, in one file, and back again.',
  'about.account': 'Language, theme, password, log out.',

  'link.online': 'Live',
  'link.connecting': 'Connecting…',
  'link.offline': 'Offline',

  'banner.offline':
    'No connection to the box. What you see may be old; trying again.',
  'banner.refused': 'The broker refuses this account.',
  'banner.board':
    'The board “{node}” is offline. Its last known states are shown.',
  'banner.store':
    'The box has trouble writing to its disk. What it has acknowledged is safe; new acknowledgements wait.',
  'banner.refusing':
    'The disk is full or fails. Lights, pins and live values go on, but messages for devices that are away and retained values are refused. Make room, or replace the card.',
  'banner.memory':
    'The disk could not be written when the box started. It works from memory: nothing is kept, and settings cannot be changed. Mend the disk and restart.',
};
