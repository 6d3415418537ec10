// A client of MQTT.js that logs in by SCRAM-SHA-256 (RFC 7677) and allows topic
// aliases, for tests/system/test_scram.py. Arguments: URI USER PASSWORD TOPIC.
// It subscribes to TOPIC, publishes to it ten times and prints what it was sent:
// "got PAYLOAD ALIAS LENGTH", alias and the length of the topic in the packet.
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import mqtt from 'mqtt';

const [uri, user, password, topic] = process.argv.slice(2);
const method = 'SCRAM-SHA-256';

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const escape = (name) => name.replaceAll('=', '=3D').replaceAll(',', '=2C');
const finish = (line) => {
  console.log(line);
  process.exit(0);
};

const first = `n=${escape(user)},r=${randomBytes(18).toString('base64')}`;
let serverSignature;

const prove = (challenge) => {
  const { r, s, i } = Object.fromEntries(
    challenge.split(',').map((part) => [part[0], part.slice(2)]));
  const salted = pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256');
  const without = `c=${Buffer.from('n,,').toString('base64')},r=${r}`;
  const message = `${first},${challenge},${without}`;
  const key = hmac(salted, 'Client Key');
  const signature = hmac(createHash('sha256').update(key).digest(), message);
  serverSignature = hmac(hmac(salted, 'Server Key'), message);
  return `${without},p=${Buffer.from(key.map((byte, n) => byte ^ signature[n])).toString('base64')}`;
};

const client = mqtt.connect(uri, {
  clientId: 'scram',
  protocolVersion: 5,
  reconnectPeriod: 0,
  connectTimeout: 60000,
  properties: {
    authenticationMethod: method,
    authenticationData: Buffer.from(`n,,${first}`),
    topicAliasMaximum: 10,
  },
});
client.handleAuth = (packet, callback) => callback(null, {
  cmd: 'auth',
  reasonCode: 0x18,
  properties: {
    authenticationMethod: method,
    authenticationData: Buffer.from(prove(packet.properties.authenticationData.toString())),
  },
});
client.on('error', (error) => finish(`refused ${error.code}`));

// The packets as they came, before MQTT.js puts the topic in.
const received = [];
client.on('packetreceive', (packet) => {
  if (packet.cmd === 'publish') {
    received.push([packet.properties?.topicAlias ?? 0, packet.topic.length]);
  }
});
let messages = 0;
client.on('message', (name, payload) => {
  const [alias, length] = received.shift();
  console.log(`got ${name} ${payload} ${alias} ${length}`);
  messages++;
  if (messages === 10) client.end(() => finish('end'));
});
client.once('connect', async (connack) => {
  const answer = connack.properties.authenticationData.toString();
  const theirs = Buffer.from(answer.slice(2), 'base64');
  if (!answer.startsWith('v=') || !timingSafeEqual(theirs, serverSignature)) {
    finish('the server does not know the password');
  }
  console.log('connected');
  await client.subscribeAsync(topic, { qos: 1 });
  for (let n = 0; n < 10; n++) await client.publishAsync(topic, `${n}`, { qos: 1 });
});
