/* One file for each area, one key in one file. */
import { common } from './en/common';
import { home } from './en/home';
import { topics } from './en/topics';
import { history } from './en/history';
import { pins } from './en/pins';
import { devices } from './en/devices';
import { nodes } from './en/nodes';
import { clients } from './en/clients';
import { people } from './en/people';
import { protection } from './en/protection';
import { backup } from './en/backup';

export const en = {
  ...common,
  ...home,
  ...topics,
  ...history,
  ...pins,
  ...devices,
  ...nodes,
  ...clients,
  ...people,
  ...protection,
  ...backup,
};

export type Key = keyof typeof en;
export type Dictionary = Record<Key, string>;
