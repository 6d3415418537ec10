/*
 * Debian's Chromium, and pages that fail their test on what must never happen:
 * a request to another host, a console error (a violated Content-Security-
 * Policy is one), an exception nobody caught.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { chromium } from 'playwright-core';
import { DEADLINE_MS, TOP } from './hub.mjs';

const SHOTS = path.join(TOP, 'artefacts/screenshots');
const AXE = fs.readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

export const SIZES = [
  { name: '390', width: 390, height: 844 },
  { name: '1280', width: 1280, height: 860 },
];
export const THEMES = ['light', 'dark'];

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  });
}

/* What the browser itself logs of an answer that is an error, or of none. */
const REFUSED = /^Failed to load resource|^WebSocket connection to .* failed/;

export class Visit {
  constructor(hub, context, page) {
    this.hub = hub;
    this.context = context;
    this.page = page;
    this.faults = [];
    this.expectRefusals = false;
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('request', (r) => this.onRequest(r.url()));
    page.on('websocket', (w) => this.onRequest(w.url()));
    page.on('pageerror', (e) => this.faults.push(`exception: ${e.stack}`));
    page.on('console', (m) => this.onConsole(m));
  }

  static async open(browser, hub, options = {}) {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 860 },
      locale: 'en-GB',
      ...options,
    });
    return new Visit(hub, context, await context.newPage());
  }

  onRequest(url) {
    const { protocol, host } = new URL(url);
    if (protocol === 'data:' || protocol === 'blob:') return;
    if (host !== `127.0.0.1:${this.hub.web}`) {
      this.faults.push(`request to another host: ${url}`);
    }
  }

  onConsole(m) {
    if (m.type() !== 'error') return;
    const wanted = this.expectRefusals && REFUSED.test(m.text());
    if (!wanted) this.faults.push(`console: ${m.text()} ${m.location().url}`);
  }

  /* Ends the visit; what was at fault fails the test. */
  async close() {
    await this.context.close();
    assert.deepEqual(this.faults, []);
  }

  async logIn(user = this.hub.user, password = this.hub.password) {
    const { page } = this;
    await page.goto(this.hub.url);
    await page.getByLabel('Name', { exact: true }).fill(user);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await this.live();
  }

  /* Waits for the connection to the broker. */
  async live() {
    await this.page.locator('.link-online:visible').waitFor();
  }

  /* Opens a page of the dashboard by its address. */
  async go(name) {
    await this.page.evaluate((n) => (location.hash = `#/${n}`), name);
  }

  /* The tile of an output or input, by its topic's last level. */
  tile(name) {
    return this.page.locator(`.tile[data-topic$="/${name}"]`);
  }

  toggle(name) {
    return this.tile(name).getByRole('switch');
  }

  /* Waits until the tile shows this state, as one the board published. */
  async shows(name, on) {
    const state = `[aria-checked="${on}"]`;
    const ready = '[aria-busy="false"][aria-disabled="false"]';
    await this.tile(name).locator(state + ready).waitFor();
  }

  async shot(name) {
    fs.mkdirSync(SHOTS, { recursive: true });
    await this.page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
  }

  /* No violation of axe's rules, best practices included. */
  async accessible(what) {
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate(async () => {
      const { violations, passes } = await globalThis.axe.run();
      return {
        passes: passes.length,
        violations: violations.map(
          (v) => `${v.id}: ${v.nodes.map((n) => n.html).join('\n')}`,
        ),
      };
    });
    assert.ok(found.passes > 10, `axe looked at nothing on ${what}`);
    assert.deepEqual(found.violations, [], what);
  }
}

/* A visit that is closed whatever happens; a picture of what was seen when it
 * went wrong. */
export async function visit(browser, hub, options, f) {
  const v = await Visit.open(browser, hub, options);
  try {
    await f(v);
  } catch (e) {
    await v.shot(`failed-${Date.now()}`).catch(() => {});
    await v.context.close();
    if (v.faults.length > 0) console.error(v.faults.join('\n'));
    throw e;
  }
  await v.close();
}
