/* The first minutes of a box: nobody owns it yet. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, SIZES, visit } from './browser.mjs';
import { Hub } from './hub.mjs';

let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function withBox(f) {
  const hub = new Hub({ demo: false });
  try {
    await hub.start();
    await f(hub);
  } finally {
    await hub.close();
  }
}

for (const { name, ...viewport } of SIZES) {
  test(`a box is claimed with its token at ${name} px`, () =>
    withBox((hub) =>
      visit(browser, hub, { viewport }, async (v) => {
        const { page } = v;
        await page.goto(hub.url);
        await page.getByRole('heading', { name: 'Welcome home' }).waitFor();
        await v.shot(`claim-${name}-light`);
        await v.accessible('claim');

        v.expectRefusals = true;
        await page.getByLabel('Claim token').fill('wrong');
        await page.getByLabel('Your name').fill('anna');
        await page.getByLabel('Password').fill('correct horse battery');
        await page.getByRole('button', { name: 'Make it mine' }).click();
        await page.getByRole('alert').filter({ hasText: /token/ }).waitFor();

        await page.getByLabel('Claim token').fill(hub.token());
        await page.getByRole('button', { name: 'Make it mine' }).click();
        await v.live();
        v.expectRefusals = false;

        await page.reload();
        await v.live();
        await v.go('account');
        await page.getByRole('heading', { name: 'anna' }).waitFor();
      }),
    ));
}

test('an unclaimed box answers nothing else', () =>
  withBox(async (hub) => {
    for (const where of ['status', 'pins', 'users', 'clients', 'topics']) {
      const answer = await fetch(`${hub.url}api/v1/${where}`);
      assert.equal(answer.status, 403, where);
      assert.match((await answer.json()).type, /unclaimed/);
    }
  }));
