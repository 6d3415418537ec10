/*
 * A person at the dashboard, told by test_main_job.py what to do, line by line:
 * "tap NAME", "see NAME ON|OFF" and "login" (when asked to again) on standard
 * input; each is answered by the same line when it is done. Arguments: ADDRESS USER PASSWORD.
 */
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../browser/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const [address, user, password] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
    '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--disable-dev-shm-usage'],
});
const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
page.setDefaultTimeout(60000);
page.on('pageerror', (error) => console.error(`exception: ${error}`));

async function logIn() {
  await page.getByLabel('Name', { exact: true }).fill(user);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('.link-online:visible').waitFor();
}

await page.goto(address);
await logIn();
console.log('ready');

const tile = (name) => page.locator(`.tile[data-topic$="/${name}"]`);
for await (const line of createInterface({ input: process.stdin })) {
  const [what, name, state] = line.split(' ');
  if (what === 'tap') {
    await tile(name).getByRole('switch').click();
  } else if (what === 'login') {
    await logIn();
  } else {
    await tile(name)
      .locator(`[aria-checked="${state === 'ON'}"][aria-busy="false"]`)
      .waitFor();
  }
  console.log(line);
}
await browser.close();
