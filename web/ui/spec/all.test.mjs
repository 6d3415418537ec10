/*
 * Runs the TypeScript tests of this folder, and what can be said of the whole:
 * its types, its weight, that it asks no other host. 'node --test' finds it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';

// Browsers have it, Node.js 20 too; Debian 12's is 18.
globalThis.crypto ??= webcrypto;

const here = path.dirname(fileURLToPath(import.meta.url));
const top = path.dirname(here);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-ui-'));
process.on('exit', () => {
  fs.rmSync(scratch, { recursive: true, force: true });
});

/* What a phone loads before it shows something. */
const MAX_GZIPPED = 50 * 1024;

test('types are right', () => {
  const tsc = path.join(top, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', top], { stdio: 'inherit' });
});

function build(dir) {
  const out = path.join(scratch, dir);
  const args = [path.join(top, 'build.mjs'), out, '--depfile', `${out}.d`];
  execFileSync(process.execPath, args, { cwd: scratch });
  return out;
}

function manifest(out) {
  return fs
    .readFileSync(path.join(out, 'manifest.tsv'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
}

/* The page, what it names, and what that imports at once: not what is fetched
 * when it is looked at. */
function first(out) {
  const files = manifest(out).map(([, , file]) => file);
  const seen = new Set(['index.html']);
  for (const name of seen) {
    const text = fs.readFileSync(path.join(out, name), 'utf8');
    const named =
      name === 'index.html'
        ? text.matchAll(/(?:src|href)="\/?([^"]+)"/g)
        : text.matchAll(/(?:from|import)"\.\/([^"]+)"/g);
    for (const [, file] of named) {
      const whole = files.find((f) => f.endsWith(file));
      if (whole) seen.add(whole);
    }
  }
  return [...seen];
}

test('what comes at once weighs less than 50 KiB gzipped', () => {
  const out = build('weight');
  const files = first(out);
  const sum = files
    .map((file) => fs.statSync(path.join(out, `${file}.gz`)).size)
    .reduce((a, b) => a + b);
  assert.ok(files.length > 5, files.join());
  assert.ok(!files.some((f) => /chart/.test(f)), files.join());
  assert.ok(sum > 1024 && sum < MAX_GZIPPED, `${sum} bytes`);
});

test('two builds of the same source are the same bytes', () => {
  const a = build('first');
  const b = build('second');
  for (const [, , file] of manifest(a)) {
    for (const end of ['', '.gz', '.br']) {
      const one = fs.readFileSync(path.join(a, file + end));
      const other = fs.readFileSync(path.join(b, file + end));
      assert.ok(one.equals(other), file + end);
    }
  }
  assert.deepEqual(manifest(a), manifest(b));
});

test('the manifest names every file once and index.html as /', () => {
  const out = build('manifest');
  const lines = manifest(out);
  const assets = fs
    .readdirSync(path.join(out, 'assets'))
    .filter((f) => !/\.(gz|br)$/.test(f))
    .map((f) => `assets/${f}`);
  assert.deepEqual(
    lines.map((l) => l[2]).sort(),
    [...assets, 'index.html'].sort(),
  );
  for (const [where, type, file, cache] of lines) {
    const index = file === 'index.html';
    assert.equal(where, index ? '/' : `/${file}`);
    assert.equal(cache, index ? 'no-cache' : 'immutable');
    assert.match(type, /^(text|image)\//);
  }
});

test('the depfile names the sources', () => {
  const text = fs.readFileSync(`${build('dep')}.d`, 'utf8');
  assert.match(text, /^dep\/manifest\.tsv: /);
  for (const f of ['src/main.tsx', 'src/index.html', 'src/styles/base.css']) {
    assert.ok(text.includes(path.join(top, f)), f);
  }
});

/* The later file would win, and nobody be told. */
test('no text has its key in two files', () => {
  for (const language of ['en', 'zh']) {
    const dir = path.join(top, 'src/i18n', language);
    const keys = fs
      .readdirSync(dir)
      .map((f) => fs.readFileSync(path.join(dir, f), 'utf8'))
      .flatMap((text) => [...text.matchAll(/^ {2}'?([\w.]+)'?:/gm)])
      .map(([, key]) => key);
    const twice = keys.filter((key, i) => keys.indexOf(key) !== i);
    assert.ok(keys.length > 500, `${keys.length}`);
    assert.deepEqual(twice, []);
  }
});

/* Names of namespaces and of where a library lives are no requests. */
const NO_REQUEST = /^https?:\/\/(www\.w3\.org|github\.com)\//;

test('no file names another host to fetch from', () => {
  const out = build('hosts');
  for (const [, , file] of manifest(out)) {
    const text = fs.readFileSync(path.join(out, file), 'utf8');
    for (const [url] of text.matchAll(/https?:\/\/[^\s"'`)\\]+/g)) {
      assert.match(url, NO_REQUEST, `${file}: ${url}`);
    }
  }
});

const specs = fs.readdirSync(here).filter((f) => /\.spec\.ts$/.test(f));
await esbuild.build({
  absWorkingDir: top,
  entryPoints: specs.map((f) => `spec/${f}`),
  outdir: scratch,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node18',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  sourcemap: 'inline',
});
for (const f of specs) {
  await import(pathToFileURL(path.join(scratch, f.replace(/ts$/, 'mjs'))).href);
}
