/* The 40-pin header all boards since the Pi 1 B+ share. */

export interface HeaderPin {
  pin: number;
  /* The line (BCM number) of a GPIO; null for power and ground. */
  line: number | null;
  name: string;
}

const NAMES = [
  '3V3', '5V', 2, '5V', 3, 'GND', 4, 14, 'GND', 15,
  17, 18, 27, 'GND', 22, 23, '3V3', 24, 10, 'GND',
  9, 25, 11, 8, 'GND', 7, 0, 1, 5, 'GND',
  6, 12, 13, 'GND', 19, 16, 26, 20, 'GND', 21,
] as const;

export const HEADER: readonly HeaderPin[] = NAMES.map((n, i) => ({
  pin: i + 1,
  line: typeof n === 'number' ? n : null,
  name: typeof n === 'number' ? `GPIO${n}` : n,
}));

export const headerPin = (line: number): number | null =>
  HEADER.find((p) => p.line === line)?.pin ?? null;
