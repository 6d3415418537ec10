/* Backups by the dashboard: taken away, refused, and taken back. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, visit } from './browser.mjs';
import { Hub } from './hub.mjs';

const PASSPHRASE = 'correct horse battery';

let hub;
let browser;
let file;

before(async () => {
  hub = await new Hub({ demo: false }).start();
  await hub.claim();
  browser = await launch();
  file = path.join(hub.scratch, 'house.hearth');
});
after(async () => {
  await browser?.close();
  await hub?.close();
});

const section = (page, name) => page.getByRole('region', { name });

async function fillTake(take, passphrase, again) {
  await take.getByLabel('Passphrase', { exact: true }).fill(passphrase);
  await take.getByLabel('Passphrase again').fill(again);
}

test('a backup is taken away, encrypted', () =>
  visit(browser, hub, {}, async (v) => {
    const { page } = v;
    await v.logIn();
    await v.go('backup');
    const take = section(page, 'Take one away');
    const button = take.getByRole('button', { name: 'Download' });
    await fillTake(take, PASSPHRASE, 'correct horse battle');
    await button.click();
    await take.getByText('The two differ.').waitFor();
    await fillTake(take, PASSPHRASE, PASSPHRASE);
    const coming = page.waitForEvent('download');
    await button.click();
    const download = await coming;
    assert.match(
      download.suggestedFilename(),
      /^hearth-cottage-\d{8}T\d{6}Z\.hearth$/,
    );
    await download.saveAs(file);
    assert.equal(fs.readFileSync(file).toString('latin1', 1, 7), 'HEARTH');
  }));

test('one is made now, listed, and taken away', () =>
  visit(browser, hub, {}, async (v) => {
    const { page } = v;
    await v.logIn();
    await v.go('backup');
    const kept = section(page, 'Kept on the hub');
    await kept.getByText('One each night, the newest 7 are kept.').waitFor();
    await kept.getByRole('button', { name: 'Make one now' }).click();
    const row = kept.getByRole('listitem');
    await row.first().waitFor();
    assert.equal(await row.count(), 1);
    const coming = page.waitForEvent('download');
    await row.getByRole('link', { name: /^Download the backup of/ }).click();
    const name = (await coming).suggestedFilename();
    assert.match(name, /^hearth-cottage-backup-000001\.hearth$/);
  }));

test('a backup is taken back', () =>
  visit(browser, hub, {}, async (v) => {
    const { page } = v;
    await hub.rest('PUT', '/users/late', { password: 'correct horse' });
    await v.logIn();
    await v.go('backup');
    const back = section(page, 'Take one back');
    const check = back.getByRole('button', { name: 'Check it' });
    await check.click();
    await back.getByText('Choose a file.').waitFor();
    await back.getByLabel('File').setInputFiles(file);
    await back.getByLabel('Passphrase').fill('incorrect horse');
    v.expectRefusals = true;
    await check.click();
    await back.getByText('the passphrase is wrong').waitFor();
    await back.getByLabel('Passphrase').fill(PASSPHRASE);
    await check.click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('of cottage: config.db').waitFor();
    await v.shot('backup-confirm-1280-light');
    await v.accessible('backup confirm');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    await back.getByLabel('Passphrase').fill(PASSPHRASE);
    await check.click();
    await dialog.getByRole('button', { name: 'Replace' }).click();
    /* It has begun anew, and knows nobody's session. */
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await v.logIn();
    const { users } = await hub.rest('GET', '/users');
    assert.ok(!users.some((u) => u.name === 'late'));
  }));
