// A client of MQTT.js for tests/clients/run, which says what an agent reads and
// writes. Arguments: NAME VERSION URI USER PASSWORD TOPIC-PREFIX CA-FILE
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import mqtt from 'mqtt';

const [name, versionText, uri, user, password, prefix, caFile] =
  process.argv.slice(2);
const version = Number(versionText);

const fail = (error) => {
  console.error(`mqtt.js: ${error}`);
  process.exit(1);
};

const client = mqtt.connect(uri, {
  clientId: name,
  protocolVersion: version,
  protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
  reconnectPeriod: 0,
  connectTimeout: 60000,
  ...(caFile ? { ca: readFileSync(caFile), rejectUnauthorized: true } : {}),
  ...(user ? { username: user, password } : {}),
});
client.on('error', fail);
client.on('message', (topic, payload, packet) => {
  const from = packet.properties?.userProperties?.from ?? '-';
  console.log(`got ${topic} ${packet.qos} ${Number(packet.retain)} ` +
    `${payload.toString('hex')} ${from}`);
});
client.once('connect', async () => {
  for (let qos = 0; qos <= 2; qos++) {
    const [grant] = await client.subscribeAsync(`${prefix}/${qos}`, { qos });
    if (grant.qos !== qos) fail(`granted ${grant.qos}`);
  }
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [topic, qos, hex = ''] = line.split(' ');
    await client.publishAsync(topic, Buffer.from(hex, 'hex'), {
      qos: Number(qos),
      ...(version === 5 ? { properties: { userProperties: { from: name } } } : {}),
    });
    console.log('sent');
  }
  await client.endAsync();
});
