/* Every page at every size and theme: seen, clean, accessible, light. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, SIZES, THEMES, visit } from './browser.mjs';
import { Hub, until } from './hub.mjs';

/* A page, and what is on it once it has loaded. */
const PAGES = {
  home: '.tile-on',
  topics: '.tree-row',
  history: '.chart canvas',
  pins: '.header .pad-out',
  clients: 'tbody tr',
  users: '.rows .row',
  protection: '.rows .row',
  backup: '.rows .row',
  account: '.facts div:nth-child(6)',
};

/* Without charts, all that the home page fetches. */
const MAX_GZIPPED = 50 * 1024;

let hub;
let browser;

/* A house to look at: name, line, kind, label, room. */
const HOUSE = [
  ['ceiling', 17, 'light', 'Ceiling light', 'Living room'],
  ['floor_lamp', 27, 'light', 'Floor lamp', 'Living room'],
  ['stove', 22, 'relay', 'Pellet stove', 'Living room'],
  ['terrace', 5, 'contact', 'Terrace door', 'Living room'],
  ['counter', 23, 'light', 'Counter light', 'Kitchen'],
  ['coffee', 24, 'relay', 'Coffee machine', 'Kitchen'],
  ['hall', 25, 'light', 'Hall light', 'Hall'],
  ['bell', 6, 'button', 'Door bell', 'Hall'],
  ['front_door', 13, 'contact', 'Front door', 'Hall'],
  ['pump', 26, 'relay', 'Garden pump', 'Garden'],
  ['motion', 16, 'motion', 'Carport', 'Garden'],
];
const OUTPUTS = ['relay', 'light'];

async function furnish() {
  for (const [name, line, kind, label, room] of HOUSE) {
    const out = OUTPUTS.includes(kind);
    const wiring = out
      ? { dir: 'out', bias: 'as_is' }
      : { dir: 'in', bias: 'up', active_low: kind !== 'contact' };
    const pin = { line, kind, label, room, ...wiring };
    await hub.rest('PUT', `/pins/${name}`, pin);
  }
  await hub.rest('POST', '/bans', {
    kind: 'address',
    what: '203.0.113.0/24',
    reason: 'tries passwords',
  });
  await until('the board to have them', async () => {
    const { pending } = await hub.rest('GET', '/pins');
    return !pending;
  });
  await hub.rest('POST', '/sim/lines/13', { level: 0 });
  for (const name of ['ceiling', 'counter', 'coffee', 'pump']) await on(name);
}

const set = (name, state) =>
  hub.publish('-q', '1', '-t', `hearth/cottage/out/${name}/set`, '-m', state);
const on = (name) => set(name, 'ON');

before(async () => {
  hub = await new Hub({ demo: false }).start();
  await hub.claim();
  await furnish();
  for (const state of ['OFF', 'ON', 'OFF']) await set('pump', state);
  await hub.rest('PUT', '/users/ben', { password: 'correct horse' });
  await hub.rest('PUT', '/users/esp-garage', { kind: 'device' });
  await hub.rest('POST', '/backups');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await hub?.close();
});

for (const { name: width, ...viewport } of SIZES) {
  for (const colorScheme of THEMES) {
    const options = { viewport, colorScheme };
    const end = `${width}-${colorScheme}`;
    test(`every page is clean at ${width} px, ${colorScheme}`, () =>
      visit(browser, hub, options, async (v) => {
        await v.page.goto(hub.url);
        await v.page.getByRole('button', { name: 'Log in' }).waitFor();
        await v.shot(`login-${end}`);
        await v.accessible(`login ${end}`);
        await v.logIn();
        for (const [name, ready] of Object.entries(PAGES)) {
          await v.go(name);
          await v.page.locator(ready).first().waitFor();
          await v.shot(`${name}-${end}`);
          await v.accessible(`${name} ${end}`);
          const wider = await v.page.evaluate(
            () => document.documentElement.scrollWidth - innerWidth,
          );
          assert.ok(wider <= 0, `${name} is ${wider} px too wide`);
        }
      }));
  }
}

test('dialogs are accessible', () =>
  visit(browser, hub, {}, async (v) => {
    await v.logIn();
    await v.go('pins');
    await v.page.getByRole('button', { name: 'Add a pin' }).click();
    await v.page.getByRole('dialog').waitFor();
    await v.shot('pin-editor-1280-light');
    await v.accessible('pin editor');
    await v.page.keyboard.press('Escape');
    await v.page.getByRole('dialog').waitFor({ state: 'detached' });
    /* The browser hides what Escape closes before the page takes it away. */
    await v.page.waitForFunction(
      () => document.activeElement?.textContent === 'Add a pin',
    );

    await v.go('users');
    await v.page.getByRole('button', { name: 'Add a person' }).click();
    await v.page.getByRole('dialog').waitFor();
    await v.accessible('user editor');
  }));

test('it speaks Chinese', () =>
  visit(browser, hub, { viewport: SIZES[0] }, async (v) => {
    await v.logIn();
    await v.go('account');
    await v.page.getByLabel('Language').selectOption('zh');
    await v.page.getByRole('link', { name: '首页' }).waitFor();
    assert.equal(
      await v.page.evaluate(() => document.documentElement.lang),
      'zh-CN',
    );
    await v.accessible('account in Chinese');
    await v.go('home');
    await v.page.locator('.tile-on').first().waitFor();
    await v.shot('home-390-zh');
    await v.page.reload();
    await v.page.getByRole('link', { name: '首页' }).waitFor();
    assert.match(await v.page.title(), /首页/);
  }));

test('a Chinese browser is greeted in Chinese', () =>
  visit(browser, hub, { locale: 'zh-CN' }, async (v) => {
    await v.page.goto(hub.url);
    await v.page.getByRole('button', { name: '登录' }).waitFor();
    await v.accessible('login in Chinese');
  }));

test('the theme can be chosen and stays', () =>
  visit(browser, hub, { colorScheme: 'light' }, async (v) => {
    const ground = () =>
      v.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await v.logIn();
    const light = await ground();
    await v.go('account');
    await v.page.getByLabel('Theme').selectOption('dark');
    const dark = await ground();
    assert.notEqual(dark, light);
    await v.page.reload();
    await v.live();
    assert.equal(await ground(), dark);
  }));

test('the home page weighs less than 50 KiB gzipped', () =>
  visit(browser, hub, {}, async (v) => {
    const fetched = new Set();
    v.page.on('request', (r) => {
      const { pathname } = new URL(r.url());
      if (!pathname.startsWith('/api/') && pathname !== '/mqtt') {
        fetched.add(pathname);
      }
    });
    await v.logIn();
    await v.page.locator('.tile').first().waitFor();
    let sum = 0;
    for (const pathname of fetched) {
      const answer = await fetch(new URL(pathname, hub.url), {
        headers: { 'Accept-Encoding': 'gzip' },
      });
      assert.equal(answer.headers.get('content-encoding'), 'gzip', pathname);
      sum += Number(answer.headers.get('content-length'));
    }
    assert.ok(fetched.size >= 3, [...fetched].join());
    console.log(`# the home page: ${sum} bytes in ${fetched.size} files`);
    assert.ok(sum > 10000 && sum < MAX_GZIPPED, `${sum} bytes`);
  }));
