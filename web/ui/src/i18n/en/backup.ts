/* Backups. */
export const backup = {
  'backup.take': 'Take one away',
  'backup.take_text':
    'Users, rules, pins, what waits for devices, certificates and keys, as they are now.',
  'backup.passphrase': 'Passphrase',
  'backup.passphrase_hint':
    'Encrypts it. Without the passphrase nobody can read it, nor can you. Empty: whoever has the file can.',
  'backup.passphrase_again': 'Passphrase again',
  'backup.passphrase_if': 'If it has one.',
  'backup.differ': 'The two differ.',
  'backup.history': 'With the history',
  'backup.download': 'Download',
  'backup.download_what': 'Download the backup of {what}',
  'backup.restore_what': 'Restore the backup of {what}',
  'backup.working': 'At work…',
  'backup.kept': 'Kept on the hub',
  'backup.nights': 'One each night, the newest {n} are kept. The next: {when}.',
  'backup.no_nights': 'None is made at night: see [backup] in hearth.conf.',
  'backup.last_failed': 'The last one failed {when}: {why}.',
  'backup.none': 'There is none yet.',
  'backup.make': 'Make one now',
  'backup.back': 'Take one back',
  'backup.back_text':
    'First it is checked; nothing changes before you have seen what is in it.',
  'backup.file': 'File',
  'backup.file_missing': 'Choose a file.',
  'backup.check': 'Check it',
  'backup.confirm': 'Replace everything?',
  'backup.confirm_text':
    'The backup of {when}, of {node}: {files}. The hub begins anew with it and all clients connect again. The data as it is now is kept aside.',
  'backup.replace': 'Replace and begin anew',
  'backup.begins': 'The hub begins anew.',
};
