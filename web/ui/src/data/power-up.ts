/* What an output is before hearth drives it: the seconds in which the board
 * starts, and a relay may click. */
import type { Line, Pin } from './api';

/* Nothing but the pull drives it then. null: it is not known. */
export function onAtPowerUp(pin: Pin, line: Line | undefined): boolean | null {
  if (!line?.pull) return null;
  return (line.pull === 'up') !== pin.active_low;
}

/* The level at which it is safe; one that holds is off until it was on. */
function quietLevel(pin: Pin): 'dh' | 'dl' {
  return (pin.safe === 'on') !== pin.active_low ? 'dh' : 'dl';
}

/* Lines of config.txt by which the firmware drives the outputs of the header,
 * within the first seconds. */
export function configTxt(pins: readonly Pin[], lines: readonly Line[]): string[] {
  const wanted = pins.filter(
    (p) =>
      p.dir === 'out' &&
      p.chip === null &&
      lines.some((l) => l.line === p.line && l.pull),
  );
  return (['dh', 'dl'] as const).flatMap((level) => {
    const of = wanted
      .filter((p) => quietLevel(p) === level)
      .map((p) => p.line)
      .sort((a, b) => a - b);
    return of.length > 0 ? [`gpio=${of.join(',')}=op,${level}`] : [];
  });
}

/* Free lines whose pull keeps such an output off. */
export function quietLines(pin: Pin, lines: readonly Line[]): Line[] {
  return lines.filter(
    (l) => !l.used && !l.risk && onAtPowerUp(pin, l) === false,
  );
}
