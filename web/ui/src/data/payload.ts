/* Payloads of strangers, made fit to be looked at. Always text, never HTML. */

export type View = 'json' | 'text' | 'hex';

/* The payload as text; null when it is not UTF-8. Of one that was cut off, the
 * last character may be incomplete. */
export function asText(bytes: Uint8Array, cut = false): string | null {
  try {
    const strict = new TextDecoder('utf-8', { fatal: true });
    return strict.decode(bytes, { stream: cut });
  } catch {
    return null;
  }
}

/* Indented JSON; null when it is no JSON object or list. */
export function asJson(bytes: Uint8Array): string | null {
  const text = asText(bytes);
  if (text === null || !/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/* A screen's worth; the rest of a megabyte helps nobody as hex. */
const HEX_BYTES = 2048;

export function asHex(bytes: Uint8Array): string {
  const lines: string[] = [];
  const part = bytes.subarray(0, HEX_BYTES);
  for (let at = 0; at < part.length; at += 16) {
    const row = [...part.subarray(at, at + 16)];
    const hex = row.map((b) => b.toString(16).padStart(2, '0')).join(' ');
    const text = row
      .map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.'))
      .join('');
    lines.push(
      `${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${text}`,
    );
  }
  if (part.length < bytes.length) lines.push('…');
  return lines.join('\n');
}

/* How it is best shown at first. */
export function bestView(bytes: Uint8Array, cut = false): View {
  if (asJson(bytes) !== null) return 'json';
  return asText(bytes, cut) === null ? 'hex' : 'text';
}

/* Control characters and those that turn the direction of writing, made
 * visible: a topic must not be able to pose as another one. */
export function visible(text: string): string {
  return text
    .replace(/[\u0000-\u001f]/g, (c) =>
      String.fromCharCode(0x2400 + c.charCodeAt(0)),
    )
    .replace(
      /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

const PREVIEW_BYTES = 240;

/* One short line for a list, of a payload of size bytes that begins so. */
export function preview(bytes: Uint8Array, size: number): string {
  const head = bytes.subarray(0, PREVIEW_BYTES);
  const text = asText(head, head.length < size);
  return text === null ? `${size} B` : visible(text);
}
