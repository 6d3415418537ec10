/* What people do with the dashboard, with Mosquitto's clients as witnesses. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, SIZES, visit } from './browser.mjs';
import { Hub, until } from './hub.mjs';

let hub;
let browser;
let node;

before(async () => {
  hub = await new Hub().start();
  browser = await launch();
  node = await hub.node();
});
after(async () => {
  await browser?.close();
  await hub?.close();
});

const topic = (rest) => `hearth/${node}/${rest}`;

/* A test with a visitor who is logged in. */
function scene(name, f, options = {}) {
  test(name, () =>
    visit(browser, hub, options, async (v) => {
      await v.logIn();
      await f(v, v.page);
    }),
  );
}

async function set(name, state) {
  await hub.publish('-q', '1', '-t', topic(`out/${name}/set`), '-m', state);
}

async function isRetained(where, text) {
  await until(`${where} = ${text}`, async () => {
    return (await hub.retained(where)) === text;
  });
}

test('a wrong password is refused in words', () =>
  visit(browser, hub, {}, async (v) => {
    v.expectRefusals = true;
    await v.page.goto(hub.url);
    await v.page.getByLabel('Name', { exact: true }).fill(hub.user);
    await v.page.getByLabel('Password', { exact: true }).fill('not that one');
    await v.page.getByRole('button', { name: 'Log in' }).click();
    await v.page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
    assert.ok(await v.page.getByRole('button', { name: 'Log in' }).isVisible());
  }));

for (const { name: width, ...viewport } of SIZES) {
  scene(
    `a tile is tapped and the board switches at ${width} px`,
    async (v) => {
      await set('desk', 'OFF');
      await v.shows('desk', false);
      await v.toggle('desk').click();
      await v.shows('desk', true);
      await isRetained(topic('out/desk'), 'ON');

      await set('desk', 'OFF');
      await v.shows('desk', false);
    },
    { viewport },
  );
}

scene('a switch is worked with the keyboard alone', async (v, page) => {
  await set('hall', 'OFF');
  await v.shows('hall', false);
  const focused = () =>
    page.evaluate(() => {
      const tile = document.activeElement?.closest('.tile');
      const isSwitch = document.activeElement?.role === 'switch';
      return isSwitch && tile?.dataset.topic.endsWith('out/hall');
    });
  for (let i = 0; i < 60 && !(await focused()); i++) {
    await page.keyboard.press('Tab');
  }
  assert.ok(await focused(), 'Tab reaches the switch');
  const outline = await page.evaluate(
    () => getComputedStyle(document.activeElement).outlineStyle,
  );
  assert.notEqual(outline, 'none', 'the focus is visible');
  await page.keyboard.press('Space');
  await v.shows('hall', true);
  await isRetained(topic('out/hall'), 'ON');
  await page.keyboard.press('Enter');
  await v.shows('hall', false);
});

scene('a simulated contact is opened by a tap', async (v, page) => {
  const door = v.tile('door').getByRole('button');
  await door.waitFor();
  const before = await hub.retained(topic('in/door'));
  await door.click();
  const after = before === 'ON' ? 'OFF' : 'ON';
  await isRetained(topic('in/door'), after);
  const word = after === 'ON' ? 'Open' : 'Closed';
  await v.tile('door').getByText(word).waitFor();

  await v.tile('button').getByRole('button').click();
  await v.tile('button').getByText('pressed').waitFor();
  assert.ok(page);
});

scene('a simulated board is operated by its pins', async (v, page) => {
  await v.go('pins');
  const pins = (await hub.rest('GET', '/pins')).pins;
  const { line, label } = pins.find((p) => p.name === 'door');
  const card = page.getByRole('region', { name: 'Simulated board' });
  await card.getByLabel('A tap on a pin operates it').check();
  const before = await hub.retained(topic('in/door'));
  await page.locator('.header .pad-in').getByText(label).click();
  await isRetained(topic('in/door'), before === 'ON' ? 'OFF' : 'ON');

  await card.getByLabel('Fault').selectOption('bounce');
  await card.getByText('The contact bounces').last().waitFor();
  await until('the board to have it', async () => {
    const { lines } = await hub.rest('GET', '/pins');
    return lines.find((l) => l.line === line).fault === 'bounce';
  });
  await card.getByLabel('Fault').selectOption('none');
  await card.locator('.chip').waitFor({ state: 'detached' });
});

scene('an input behind an expander is clicked like any other', async (v, page) => {
  const gate = { dir: 'in', chip: 'pcf8574', line: 3, kind: 'contact', bias: 'up', label: 'Gate' };
  await hub.rest('PUT', '/pins/gate', gate);
  await v.go('pins');
  await page.getByRole('button', { name: 'Edit Gate' }).waitFor();
  await v.go('home');
  await until('the gate to be closed', async () => {
    return (await hub.retained(topic('in/gate'))) === 'ON';
  });
  await v.tile('gate').getByRole('button').click();
  await isRetained(topic('in/gate'), 'OFF');

  await v.go('pins');
  const card = page.getByRole('region', { name: 'Simulated board' });
  await card.getByLabel('Line', { exact: true }).selectOption('pcf8574:3');
  assert.equal(await card.getByLabel('Happens by itself').count(), 0);
  await card.getByRole('button', { name: 'High' }).click();
  await isRetained(topic('in/gate'), 'ON');
  await card.getByLabel('Fault').selectOption('bounce');
  await card.getByText('The contact bounces').last().waitFor();
  await card.getByLabel('Fault').selectOption('none');
  await card.locator('.chip').waitFor({ state: 'detached' });
  await hub.rest('DELETE', '/pins/gate');
});

/* Another hearth-gpiod than before switches an output on. */
async function obeysAgain(before, name) {
  await until('another hearth-gpiod', async () => {
    return (await hub.gpiod()) !== before;
  });
  await until('the board to obey again', async () => {
    await set(name, 'ON');
    return (await hub.retained(topic(`out/${name}`))) === 'ON';
  });
}

scene('a silent board is told, and no state is made up', async (v, page) => {
  await set('heater', 'OFF');
  await v.shows('heater', false);
  const gpiod = await hub.gpiod();
  process.kill(gpiod, 'SIGSTOP');
  await v.toggle('heater').click();
  await v.tile('heater').locator('[aria-busy="true"]').waitFor();
  assert.equal(await v.toggle('heater').getAttribute('aria-checked'), 'false');
  await page.locator('.toast').getByText('did not answer').waitFor();
  await v.shows('heater', false);
  /* hearthd ends what hangs, and starts another. */
  await obeysAgain(gpiod, 'heater');
  await v.shows('heater', true);
  await set('heater', 'OFF');
  await v.shows('heater', false);
});

scene('a killed hearth-gpiod is back, and its board works', async (v) => {
  await v.shows('pump', false);
  const before = await hub.gpiod();
  process.kill(before, 'SIGKILL');
  await obeysAgain(before, 'pump');
  await v.shows('pump', true);
  await v.toggle('pump').click();
  await v.shows('pump', false);
});

/* A board elsewhere, of which only its will is left when it dies. Ours is
 * started again so soon that nobody could see it offline. */
scene('a board that dies is shown offline until it is back', async (v, page) => {
  const attic = (rest) => `hearth/attic/${rest}`;
  const will = ['--will-topic', attic('status'), '--will-payload', 'offline'];
  await hub.publish('-r', '-t', attic('status'), '-m', 'online');
  await hub.publish('-r', '-t', attic('out/fan'), '-m', 'ON');
  const board = await hub.subscriber(
    attic('out/fan/set'),
    ...['--will-retain', '--will-qos', '1', ...will],
  );
  try {
    await v.shows('fan', true);
    board.child.kill('SIGKILL');
    await v.tile('fan').getByText('Offline').waitFor();
    await page.locator('.banner').getByText('attic').waitFor();
    await v.toggle('fan').click({ force: true });
    assert.deepEqual(await v.toggle('fan').getAttribute('aria-busy'), 'false');
    await v.shot('home-offline-1280-light');
    await v.accessible('a board offline');

    await hub.publish('-r', '-t', attic('status'), '-m', 'online');
    await v.shows('fan', true);
    assert.equal(await v.tile('fan').getByText('Offline').count(), 0);
  } finally {
    board.stop();
    await hub.publish('-r', '-n', '-t', attic('status'));
    await hub.publish('-r', '-n', '-t', attic('out/fan'));
  }
  await v.tile('fan').waitFor({ state: 'detached' });
});

test('somebody without the right is told so', async () => {
  await hub.rest('PUT', '/users/child', { password: 'let me play' });
  await hub.rest('POST', '/acl', {
    user: 'child',
    filter: 'hearth/+/out/heater/set',
    action: 'write',
    effect: 'deny',
  });
  await set('heater', 'OFF');
  await visit(browser, hub, {}, async (v) => {
    await v.logIn('child', 'let me play');
    await v.shows('heater', false);
    await v.toggle('heater').click();
    await v.page.locator('.toast').getByText('allowed').waitFor();
    await v.shows('heater', false);
    assert.equal(await v.page.getByRole('link', { name: 'Users' }).count(), 0);
  });
  assert.equal(await hub.retained(topic('out/heater')), 'OFF');
});

/* Opens the tree down to a topic, by the keyboard, and chooses it. */
async function choose(page, name) {
  await page.getByRole('searchbox').fill(name);
  await page.locator('.tree-row', { hasText: name }).last().click();
}

scene('a live topic is seen, whatever a stranger wrote', async (v, page) => {
  await v.go('topics');
  await page.locator('.tree-row').first().waitFor();
  const evil = '<img src=x onerror=alert(1)>';
  const name = 'test/<b>bold';
  await hub.publish('-r', '-t', name, '-m', evil);
  await choose(page, 'bold');
  const detail = page.locator('.topic-detail');
  await detail.locator('.payload').getByText(evil).waitFor();
  await detail.getByText('retained', { exact: true }).waitFor();
  assert.equal(await page.locator('#main img, #main b').count(), 0);

  await hub.publish('-r', '-t', name, '-m', '{"a":[1,2]}');
  await detail.locator('.payload').getByText('"a": [').waitFor();
  await detail.getByRole('button', { name: 'Hex' }).click();
  await detail.getByText('7b 22 61 22').waitFor();

  await detail.getByRole('button', { name: 'Clear retained' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('test/<b>bold').waitFor();
  await dialog.getByRole('button', { name: 'Clear', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await until('the retained message to go', () => hub.forgotten(name));
});

scene('the tree is walked with the keyboard', async (v, page) => {
  await hub.publish('-r', '-t', 'walk/one/leaf', '-m', 'here');
  await v.go('topics');
  const tree = page.getByRole('tree');
  await tree.locator('.tree-row', { hasText: 'walk' }).waitFor();
  await tree.focus();
  for (const key of ['End', 'ArrowRight', 'ArrowDown', 'ArrowRight']) {
    await page.keyboard.press(key);
  }
  await tree.locator('.tree-row', { hasText: 'leaf' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('.topic-detail').getByText('walk/one/leaf').waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await tree
    .locator('.tree-row', { hasText: 'leaf' })
    .waitFor({ state: 'detached' });
  await hub.publish('-r', '-n', '-t', 'walk/one/leaf');
});

for (const qos of ['0', '1', '2']) {
  scene(`a message is published at QoS ${qos}`, async (v, page) => {
    const name = `test/publish/${qos}`;
    const witness = await hub.subscriber(name, '-q', qos);
    try {
      await v.go('topics');
      const box = page.getByRole('region', { name: 'Publish' });
      await box.getByLabel('Topic').fill(name);
      await box.getByLabel('Payload').fill('hello ü');
      await box.getByLabel('QoS').selectOption(qos);
      await box.getByRole('button', { name: 'Publish' }).click();
      await until('the witness', () => witness.messages().length > 0);
      assert.deepEqual(witness.messages(), [`${name} hello ü`]);
      const told = qos === '0' ? 'Sent.' : 'Acknowledged by the broker.';
      await box.getByText(told).waitFor();

      await box.getByLabel('Topic').fill('a/+');
      await box.getByRole('button', { name: 'Publish' }).click();
      await box.getByText('cannot hold').waitFor();
    } finally {
      witness.stop();
    }
  });
}

scene('the history of an output is drawn, listed and saved', async (v, page) => {
  for (const state of ['ON', 'OFF', 'ON']) await set('pump', state);
  await v.shows('pump', true);
  await v.tile('pump').getByRole('link', { name: /History/ }).click();
  const canvas = page.locator('.chart canvas');
  await canvas.waitFor();
  const painted = () =>
    canvas.evaluate((c) => {
      const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
      const colours = new Set();
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] > 200) {
          colours.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
        }
      }
      return colours.size;
    });
  await until('a chart of several colours', async () => (await painted()) > 2);

  await page.getByText('Show as a table').click();
  const table = page.getByRole('region', { name: 'Show as a table' });
  await until('the last three states', async () => {
    const rows = await table.locator('tbody tr td:nth-child(2)').allInnerTexts();
    return rows.slice(0, 3).join() === 'ON,OFF,ON';
  });

  const query = new URLSearchParams({ topic: topic('out/pump') });
  await until('the hub to have recorded it', async () => {
    const { samples } = await hub.rest('GET', `/history?${query}`);
    return samples.length >= 3;
  });
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'CSV' }).click(),
  ]);
  const csv = fs.readFileSync(await download.path(), 'utf8').split('\r\n');
  assert.equal(csv[0], 'time,topic,payload,value,user,client,address');
  assert.match(
    csv[1],
    /^\d{4}-\d\d-\d\dT[\d:.]+Z,"[^"]+out\/pump","(ON|OFF)",[01],/,
  );
  await page.getByRole('button', { name: '7 days' }).click();
  await canvas.waitFor();
  assert.match(page.url(), /range=7d/);
});

scene('what is recorded is edited, and its budget', async (v, page) => {
  await v.go('history');
  const box = page.getByRole('region', { name: 'What is recorded' });
  await box.getByRole('button', { name: 'Add a policy' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Topic filter').fill('attic/#');
  await dialog.getByLabel('Only when the value changes').check();
  await dialog.getByLabel('Keep messages for').fill('7');
  await dialog.getByRole('button', { name: 'Save' }).click();
  const mine = box.getByRole('listitem').filter({ hasText: 'attic/#' });
  await mine.getByText('7 days').waitFor();
  const { policies } = await hub.rest('GET', '/history/policies');
  const policy = policies.find((p) => p.filter === 'attic/#');
  assert.equal(policy.on_change, true);
  assert.equal(policy.days, 7);
  await mine.getByRole('button', { name: /Delete/ }).click();
  await mine.waitFor({ state: 'detached' });

  await box.getByLabel('MB written a day').fill('50');
  await box.getByRole('button', { name: 'Save' }).click();
  await box.getByText('of 50 MB written today').waitFor();
  assert.equal((await hub.rest('GET', '/history/status')).budget_mb, 50);
});

scene('a risky line is taken after a second thought', async (v, page) => {
  await v.go('pins');
  await page.getByText('Raspberry Pi 4').waitFor();
  await page.getByRole('button', { name: 'Add a pin' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Label').fill('Bell');
  await dialog.getByLabel('Line', { exact: true }).selectOption('7');
  await dialog.getByText('SPI bus').waitFor();
  await dialog.getByText('Not switched on (config.txt)').waitFor();
  await dialog.getByText('pulled up: the output may be on').waitFor();
  await dialog.getByText('gpio=7=op,dl').waitFor();
  await dialog.getByLabel('Active low').check();
  await dialog.getByText('pulled up: the output stays off').waitFor();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').filter({ hasText: 'Tick' }).waitFor();
  await dialog.getByLabel('Use this line all the same').check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('While the board starts').click();
  await page.getByText(/^gpio=.*\b7\b.*=op,dh$/m).waitFor();

  await page.getByRole('button', { name: 'Delete Bell' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page
    .getByRole('button', { name: 'Edit Bell' })
    .waitFor({ state: 'detached' });
});

scene('a pin is added, used, found in conflict and deleted', async (v, page) => {
  await v.go('pins');
  await page.getByRole('button', { name: 'Add a pin' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('1 to 32 of').waitFor();
  await dialog.getByLabel('Label').fill('Test lamp');
  assert.equal(await dialog.getByLabel('Topic name').inputValue(), 'test_lamp');
  await dialog.getByLabel('Room').fill('Attic');

  v.expectRefusals = true;
  await dialog.getByLabel('Line').selectOption('17');
  await dialog.getByText('already held by pump').waitFor();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').filter({ hasText: 'pump' }).waitFor();
  v.expectRefusals = false;

  await dialog.getByLabel('Line').selectOption('6');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Edit Test lamp' }).waitFor();
  await page.locator('.pad-out', { hasText: 'Test lamp' }).waitFor();

  await v.go('home');
  await v.shows('test_lamp', false);
  await v.toggle('test_lamp').click();
  await v.shows('test_lamp', true);

  await v.go('pins');
  await page.getByRole('button', { name: 'Delete Test lamp' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page
    .getByRole('button', { name: 'Edit Test lamp' })
    .waitFor({ state: 'detached' });
  await until('its state to go', () => hub.forgotten(topic('out/test_lamp')));
});

scene('a client is listed and disconnected', async (v, page) => {
  const witness = await hub.subscriber('test/listed', '-i', 'test-listed');
  try {
    await v.go('clients');
    await page.getByLabel('Find a client').fill('test-listed');
    await page.getByRole('button', { name: 'test-listed' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('test/listed').waitFor();
    await v.accessible('client');
    await dialog.getByRole('button', { name: 'Disconnect' }).click();
    await page.locator('.toast').getByText('disconnected').waitFor();
    await until('it to connect again', () => {
      return witness.output().match(/sending CONNECT/g).length > 1;
    });
  } finally {
    witness.stop();
  }
});

scene('a device gets a password that works', async (v, page) => {
  await v.go('users');
  await page.getByRole('button', { name: 'Add a device' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('esp-test');
  await dialog.getByRole('button', { name: 'Save' }).click();
  const password = await dialog.locator('.secret').innerText();
  assert.ok(password.length >= 12, password);
  await dialog.getByRole('button', { name: 'Done' }).click();
  const who = ['-u', 'esp-test', '-t', 'test/x', '-m', 'x'];
  await hub.publish(...who, '-P', password);
  await assert.rejects(hub.publish(...who, '-P', `${password}x`));

  await page.getByRole('button', { name: 'Delete esp-test' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.waitFor({ state: 'detached' });
  await assert.rejects(hub.publish(...who, '-P', password));
});

scene('a rule is added, tried out and deleted', async (v, page) => {
  await hub.rest('PUT', '/users/guest', { password: 'come on in' });
  await v.go('users');
  const rules = page.getByRole('region', { name: 'Rules' });
  await rules.getByLabel('Topic filter').fill('garden/#');
  await rules.getByLabel('Who').selectOption('guest');
  await rules.getByLabel('May').selectOption('read');
  await rules.getByRole('button', { name: 'Add rule' }).click();
  const mine = rules.locator('.row', { hasText: 'garden/#' });
  await mine.waitFor();

  const trial = page.getByRole('region', { name: 'Try a rule out' });
  await trial.getByLabel('Who').selectOption('guest');
  await trial.getByLabel('Topic').fill('garden/pump');
  await trial.getByRole('button', { name: 'Test' }).click();
  await trial.getByText('Denied').waitFor();
  await trial.getByLabel('May').selectOption('read');
  await trial.getByRole('button', { name: 'Test' }).click();
  await trial.getByText('Allowed').waitFor();
  await v.accessible('rules');

  await mine.getByRole('button').click();
  await mine.waitFor({ state: 'detached' });
});

scene('a network is kept out, and let in again', async (v, page) => {
  await v.go('protection');
  const bans = page.getByRole('region', { name: 'Kept out' });
  await bans.getByLabel('How long').selectOption('A week');
  await bans.getByLabel('Address').fill('192.0.2.7/33');
  v.expectRefusals = true;
  await bans.getByRole('button', { name: 'Keep out' }).click();
  await bans.getByText('must be an address or a network').waitFor();
  v.expectRefusals = false;
  await bans.getByLabel('Address').fill('192.0.2.7/24');
  await bans.getByLabel('Why').fill('noise');
  await bans.getByRole('button', { name: 'Keep out' }).click();
  const mine = bans.getByRole('listitem').filter({ hasText: '192.0.2.0/24' });
  await mine.getByText('noise').waitFor();
  const { bans: found } = await hub.rest('GET', '/bans');
  assert.equal(found.length, 1);
  assert.ok(found[0].until > Date.now() + 6 * 24 * 3600 * 1000);
  await mine.getByRole('button').click();
  await mine.waitFor({ state: 'detached' });
  assert.equal((await hub.rest('GET', '/bans')).bans.length, 0);
});

test('a password is changed, and the old one is worth nothing', async () => {
  const login = (password) =>
    fetch(`${hub.url}api/v1/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user: 'dora', password }),
    });
  await hub.rest('PUT', '/users/dora', { password: 'the first one' });
  await visit(browser, hub, {}, async (v) => {
    await v.logIn('dora', 'the first one');
    await v.go('account');
    await v.page.getByLabel('Present password').fill('the first one');
    await v.page.getByLabel('New password').fill('the second one');
    await v.page.getByRole('button', { name: 'Change password' }).click();
    await v.page.locator('.toast').getByText('changed').waitFor();
  });
  assert.equal((await login('the first one')).status, 401);
  assert.equal((await login('the second one')).status, 200);
});

scene('logging out ends the session', async (v, page) => {
  await v.go('account');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  v.expectRefusals = true;
  const status = await page.evaluate(
    async () => (await fetch('/api/v1/status')).status,
  );
  assert.equal(status, 401);
});

scene('a lost connection is shown, nothing pretends', async (v, page) => {
  await v.shows('desk', false);
  v.expectRefusals = true;
  process.kill(hub.child.pid, 'SIGSTOP');
  try {
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.locator('.banner').getByText('No connection').waitFor();
    await v.toggle('desk').click({ force: true });
    assert.equal(
      await v.toggle('desk').getAttribute('aria-disabled'),
      'true',
    );
  } finally {
    process.kill(hub.child.pid, 'SIGCONT');
  }
  await v.live();
  await v.shows('desk', false);
});
