/* One file for each area, one key in one file. */
import type { Dictionary } from './en';
import { common } from './zh/common';
import { home } from './zh/home';
import { topics } from './zh/topics';
import { history } from './zh/history';
import { pins } from './zh/pins';
import { devices } from './zh/devices';
import { nodes } from './zh/nodes';
import { clients } from './zh/clients';
import { people } from './zh/people';
import { protection } from './zh/protection';
import { backup } from './zh/backup';

export const zh: Dictionary = {
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
