/*
 * A real hearthd on free ports of 127.0.0.1 in a scratch directory, and
 * Debian's Mosquitto clients as witnesses from outside. Every wait is for a
 * condition, with a deadline far beyond what a loaded machine needs.
 */
import { execFile, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const TOP = fileURLToPath(new URL('../../', import.meta.url));
const BUILD = process.env.HEARTH_BUILD ?? path.join(TOP, 'build');
const HEARTHD = process.env.HEARTHD ?? path.join(BUILD, 'hearthd');
export const DEADLINE_MS = 1000 * Number(process.env.HEARTH_DEADLINE ?? 60);

const run = promisify(execFile);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/* Polls until condition() is true and answers its value. */
export async function until(what, condition) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await sleep(50);
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const s = net.createServer();
    s.on('error', reject);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

/* '' when it is gone already. */
function commandOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
}

/* Where satellites come. */
const TLS = (hub) => `[listener satellites]
type = tls
address = 127.0.0.1
port = ${hub.mqtts}
tls_cert = ${hub.scratch}/hub.crt
tls_key = ${hub.scratch}/hub.key
`;

const CONFIG = (hub) => `[hearth]
data_dir = ${hub.data}
node = cottage
[listener lan]
address = 127.0.0.1
port = ${hub.mqtt}
${hub.mqtts ? TLS(hub) : ''}[web]
address = 127.0.0.1
port = ${hub.web}
[gpio]
backend = sim
`;

export class Hub {
  /* demo: hearthd --demo, which claims itself; else it is unclaimed. */
  constructor({ demo = true, satellites = false } = {}) {
    this.demo = demo;
    this.satellites = satellites;
    this.scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-browser-'));
    this.data = path.join(this.scratch, 'data');
    this.output = '';
  }

  async start() {
    for (let attempt = 1; ; attempt++) {
      if (!this.web || attempt > 1) {
        this.mqtt = await freePort();
        this.web = await freePort();
        if (this.satellites) await this.certify();
      }
      try {
        await this.spawn();
        return this;
      } catch (e) {
        /* Somebody was faster with the port. */
        if (attempt === 5 || !/in use/i.test(this.output)) throw e;
      }
    }
  }

  /* One that is known by itself. */
  async certify() {
    this.mqtts = await freePort();
    const at = (name) => path.join(this.scratch, name);
    await run('openssl', [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256'.split(' '),
      ...'-nodes -days 2 -subj /CN=cottage'.split(' '),
      ...['-keyout', at('hub.key'), '-out', at('hub.crt')],
    ]);
  }

  /* A board on its own, joined by this text; to be ended by kill(). */
  satellite(join) {
    const at = path.join(this.scratch, 'satellite');
    fs.mkdirSync(at, { recursive: true });
    fs.writeFileSync(path.join(at, 'join'), join, { mode: 0o600 });
    return spawn(
      path.join(path.dirname(HEARTHD), 'hearth-gpiod'),
      ['--join', path.join(at, 'join'), '--backend', 'sim', '--state-dir', at],
      { stdio: 'ignore' },
    );
  }

  async spawn() {
    this.output = '';
    this.child = spawn(HEARTHD, this.arguments(), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (data) => (this.output += data);
    this.child.stdout.on('data', keep);
    this.child.stderr.on('data', keep);
    let failed = null;
    this.child.on('error', (e) => (failed = e));
    await until(`${HEARTHD} to answer`, async () => {
      if (failed) throw failed;
      if (this.child.exitCode !== null) {
        throw new Error(`hearthd ended:\n${this.output}`);
      }
      return this.answers();
    });
    if (this.demo) await this.readLogin();
  }

  arguments() {
    if (this.demo) {
      const ports = ['--mqtt-port', this.mqtt, '--web-port', this.web];
      return ['--demo', '--data', this.data, ...ports.map(String)];
    }
    const file = path.join(this.scratch, 'hearth.conf');
    fs.writeFileSync(file, CONFIG(this));
    return ['-c', file];
  }

  async answers() {
    try {
      return (await fetch(`${this.url}healthz`)).ok;
    } catch {
      return false;
    }
  }

  async readLogin() {
    const pattern =
      /login\W+(?:user\s+)?([\w.-]+)\s*(?:\/|,|:|\s)\s*(?:password\s+)?(\S+)/i;
    const m = await until('the login', () => pattern.exec(this.output));
    this.user = m[1];
    this.password = m[2];
  }

  /* Makes an unclaimed box ours. */
  async claim(user = 'anna', password = 'correct horse battery') {
    const answer = await fetch(`${this.url}api/v1/claim`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: this.token(), user, password }),
    });
    if (!answer.ok) throw new Error(`claim: ${await answer.text()}`);
    this.user = user;
    this.password = password;
  }

  get url() {
    return `http://127.0.0.1:${this.web}/`;
  }

  token() {
    return fs.readFileSync(path.join(this.data, 'claim-token'), 'utf8').trim();
  }

  async node() {
    const answer = await fetch(`${this.url}api/v1/session`);
    return (await answer.json()).node;
  }

  /* The body of a REST answer, as the administrator. */
  async rest(method, where, body) {
    const basic = Buffer.from(`${this.user}:${this.password}`);
    const init = {
      method,
      headers: { Authorization: `Basic ${basic.toString('base64')}` },
    };
    if (body !== undefined) {
      init.headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    const answer = await fetch(`${this.url}api/v1${where}`, init);
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${where}: ${answer.status} ${text}`);
    }
    return text ? JSON.parse(text) : null;
  }

  /* The process that holds the lines. */
  async gpiod() {
    return until('hearth-gpiod', async () => {
      const children = `/proc/${this.child.pid}/task/${this.child.pid}/children`;
      for (const pid of fs.readFileSync(children, 'utf8').split(' ')) {
        if (pid && commandOf(pid).startsWith('hearth-gpiod')) {
          return Number(pid);
        }
      }
      return null;
    });
  }

  /* In --demo a program of this machine needs no password. */
  mosquitto(args) {
    const who = this.demo ? [] : ['-u', this.user, '-P', this.password];
    return ['-h', '127.0.0.1', '-p', String(this.mqtt), ...who, ...args];
  }

  async publish(...args) {
    await run('mosquitto_pub', this.mosquitto(args));
  }

  /* The retained message of a topic, waited for. */
  async retained(topic) {
    const wait = String(Math.ceil(DEADLINE_MS / 1000));
    const args = ['-t', topic, '--retained-only', '-W', wait, '-C', '1'];
    const { stdout } = await run('mosquitto_sub', this.mosquitto(args));
    return stdout.replace(/\n$/, '');
  }

  /* Whether a topic has none: REST says so at once. */
  async forgotten(topic) {
    try {
      await this.rest('GET', `/topics/value?topic=${encodeURIComponent(topic)}`);
      return false;
    } catch (e) {
      if (/: 404 /.test(e.message)) return true;
      throw e;
    }
  }

  /* A subscriber that is there when this returns; messages() are its lines. */
  async subscriber(topic, ...more) {
    const args = this.mosquitto(['-d', '-t', topic, '-F', '%t %p', ...more]);
    /* stdbuf: what -d says must come when it is said. */
    const child = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (d) => (output += d));
    await until('SUBACK', () => /Subscribed \(mid/.test(output));
    return {
      child,
      output: () => output,
      messages: () => output.split('\n').filter((l) => l.startsWith(topic)),
      stop: () => child.kill(),
    };
  }

  kill(signal = 'SIGKILL') {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        resolve();
        return;
      }
      this.child.once('exit', resolve);
      this.child.kill(signal);
    });
  }

  async close() {
    if (this.child) {
      const timer = setTimeout(() => this.child.kill('SIGKILL'), DEADLINE_MS);
      await this.kill('SIGINT');
      clearTimeout(timer);
    }
    fs.rmSync(this.scratch, { recursive: true, force: true });
  }
}
