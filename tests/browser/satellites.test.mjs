/* A second board by the dashboard: made, joined, set up, switched, removed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, SIZES, THEMES, visit } from './browser.mjs';
import { Hub, until } from './hub.mjs';

let hub;
let browser;
let satellite;

before(async () => {
  hub = await new Hub({ demo: false, satellites: true }).start();
  await hub.claim();
  browser = await launch();
});
after(async () => {
  satellite?.kill();
  await browser?.close();
  await hub?.close();
});

const boards = (page) => page.getByRole('region', { name: 'Boards' });
const address = () => `mqtts://127.0.0.1:${hub.mqtts}`;

/* A dialog's form, sent; answers the file that it leads to. */
async function joinText(page, dialog, button) {
  await dialog.getByLabel('Address of this hub').fill(address());
  await dialog.getByRole('button', { name: button }).click();
  const shown = page.getByRole('dialog', { name: 'garage may join' });
  const text = await shown.getByRole('region', { name: 'The file' }).innerText();
  await shown.getByRole('button', { name: 'Done' }).click();
  return text;
}

test('a satellite is made by keyboard and comes', () =>
  visit(browser, hub, {}, async (v) => {
    const { page } = v;
    v.expectRefusals = true;
    await v.logIn();
    await v.go('pins');
    assert.equal(await boards(page).count(), 0);
    await page.getByRole('button', { name: 'Add a satellite' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Add a satellite' });
    const name = dialog.getByLabel('Name of the board');
    await name.fill('Garage!');
    await name.press('Enter');
    await dialog.getByRole('alert').filter({ hasText: /1 to 32/ }).waitFor();
    await name.fill('garage');
    /* By 127.0.0.1 nobody else finds the hub. */
    await name.press('Enter');
    await dialog.getByText(/good on this machine only/).waitFor();
    const text = await joinText(page, dialog, 'Save');
    assert.match(text, /^node = garage$/m);
    assert.match(text, /BEGIN CERTIFICATE/);
    const row = boards(page).getByRole('listitem').filter({ hasText: 'garage' });
    await row.getByText('has not been here yet').waitFor();
    satellite = hub.satellite(text);
    await row.getByText('Online').waitFor();
    await row.getByText('simulated').waitFor();
  }));

test('its pins are set up apart from those of the hub', () =>
  visit(browser, hub, {}, async (v) => {
    const { page } = v;
    await v.logIn();
    await hub.rest('PUT', '/pins/own', { dir: 'out', line: 17 });
    await v.go('pins');
    const used = page.getByRole('region', { name: 'In use' });
    await used.getByText('Own', { exact: true }).waitFor();
    const choice = boards(page).getByRole('button', { name: /^garage/ });
    await choice.press('Space');
    await page.locator('.board-choice[aria-pressed="true"]', {
      hasText: 'garage',
    }).waitFor();
    await used.getByText('No pin is set up').waitFor();
    await page.getByRole('button', { name: 'Add a pin' }).click();
    const editor = page.getByRole('dialog');
    await editor.getByLabel('Label').fill('Gate');
    await editor.getByLabel('Room').fill('Yard');
    await editor.getByLabel('Line', { exact: true }).selectOption('17');
    await editor.getByRole('button', { name: 'Save' }).click();
    await used.getByText('Gate', { exact: true }).waitFor();
    assert.equal((await hub.rest('GET', '/pins')).pins.length, 1);
    await until('the board to have it', async () =>
      (await hub.rest('GET', '/nodes')).nodes.some(
        (n) => n.name === 'garage' && n.pins === 1 && !n.pending,
      ),
    );
    /* At home it has its name and its room, and is switched. */
    await v.go('home');
    const room = page.getByRole('region', { name: 'Yard' });
    await room.getByText('Gate', { exact: true }).waitFor();
    await v.shows('gate', false);
    await v.toggle('gate').click();
    await v.shows('gate', true);
    assert.equal(await hub.retained('hearth/garage/out/gate'), 'ON');
  }));

for (const { name: width, ...viewport } of SIZES) {
  for (const colorScheme of THEMES) {
    test(`the boards are readable at ${width} px, ${colorScheme}`, () =>
      visit(browser, hub, { viewport, colorScheme }, async (v) => {
        const { page } = v;
        await v.logIn();
        await v.go('pins');
        await boards(page).getByText('Online').first().waitFor();
        await v.accessible('boards');
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth - innerWidth,
        );
        assert.ok(wide <= 0, `${wide} px too wide`);
        await v.shot(`boards-${width}-${colorScheme}`);
        await page
          .getByRole('button', { name: 'New credential for garage' })
          .click();
        await page.getByRole('dialog').waitFor();
        await v.accessible('renew');
        await v.shot(`boards-renew-${width}-${colorScheme}`);
      }));
  }
}

test('boards speak Chinese', () =>
  visit(browser, hub, { locale: 'zh-CN' }, async (v) => {
    const { page } = v;
    await page.goto(hub.url);
    await page.getByLabel(/./).first().fill(hub.user);
    await page.locator('input[type=password]').fill(hub.password);
    await page.locator('input[type=password]').press('Enter');
    await v.live();
    await v.go('pins');
    await page.getByRole('region', { name: '主板' }).getByText('在线').first()
      .waitFor();
    await v.shot('boards-zh');
  }));

test('another credential, and the end of it', () =>
  visit(browser, hub, {}, async (v) => {
    const { page } = v;
    await v.logIn();
    await v.go('pins');
    const row = boards(page).getByRole('listitem').filter({ hasText: 'garage' });
    await row.getByText('Online').waitFor();
    await row.getByRole('button', { name: /^New credential/ }).click();
    const dialog = page.getByRole('dialog');
    const text = await joinText(page, dialog, 'Make a new one');
    await row.getByText('Offline').waitFor();
    satellite.kill();
    satellite = hub.satellite(text);
    await row.getByText('Online').waitFor();
    await row.getByRole('button', { name: /^Delete garage/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' })
      .click();
    await boards(page).waitFor({ state: 'detached' });
    await until('its topics to go', () =>
      hub.forgotten('hearth/garage/out/gate'),
    );
    await page.getByRole('region', { name: 'In use' }).getByText('Own', {
      exact: true,
    }).waitFor();
  }));
