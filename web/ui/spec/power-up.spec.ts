import './globals';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Line, Pin } from '../src/data/api';
import { configTxt, onAtPowerUp, quietLines } from '../src/data/power-up';
import { newPin } from '../src/pages/pin-editor';

const line = (n: number, more: Partial<Line> = {}): Line => ({
  line: n,
  pin: n,
  name: `GPIO${n}`,
  functions: [],
  pull: n <= 8 ? 'up' : 'down',
  risk: null,
  used: false,
  consumer: null,
  configured: null,
  warning: null,
  ...more,
});
const output = (n: number, more: Partial<Pin> = {}): Pin => ({
  ...newPin(n),
  name: `p${n}`,
  ...more,
});
const lines = [line(2, { risk: 'i2c' }), line(5), line(6, { used: true }), line(17), line(27)];

test('the pull decides whether a relay is on at power-up', () => {
  assert.equal(onAtPowerUp(output(17), line(17)), false);
  assert.equal(onAtPowerUp(output(17, { active_low: true }), line(17)), true);
  assert.equal(onAtPowerUp(output(5), line(5)), true);
  assert.equal(onAtPowerUp(output(5, { active_low: true }), line(5)), false);
  assert.equal(onAtPowerUp(output(40), line(40, { pull: null })), null);
  assert.equal(onAtPowerUp(output(40), undefined), null);
});

test('config.txt drives each output to its safe level', () => {
  const pins = [
    output(27, { active_low: true }),
    output(17, { active_low: true, safe: 'hold' }),
    output(5),
    output(6, { safe: 'on' }),
    output(2, { dir: 'in' }),
    output(40),
    output(17, { chip: 'gpio-ext' }),
  ];
  assert.deepEqual(configTxt(pins, lines), ['gpio=6,17,27=op,dh', 'gpio=5=op,dl']);
  assert.deepEqual(configTxt([], lines), []);
});

test('quieter lines are free, harmless, and pulled the right way', () => {
  const of = (pin: Pin) => quietLines(pin, lines).map((l) => l.line);
  assert.deepEqual(of(output(17, { active_low: true })), [5]);
  assert.deepEqual(of(output(5)), [17, 27]);
});
