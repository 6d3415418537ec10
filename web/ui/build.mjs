/*
 * Builds the dashboard:  node build.mjs [OUTDIR [--depfile FILE]]
 *
 * OUTDIR gets index.html, assets/NAME.HASH.EXT, a .gz and a .br of each, and
 * manifest.tsv, one line a file:
 *   path <TAB> content-type <TAB> file <TAB> immutable|no-cache
 * where "path" is asked for by browsers and "file" lies in OUTDIR, with
 * FILE.gz and FILE.br beside it when "file" is worth compressing. Needs no
 * network. The same input makes the same bytes.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import * as esbuild from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

function parseArguments(argv) {
  const out = { dir: path.join(here, 'dist'), depfile: null };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--depfile' && argv[i + 1]) out.depfile = argv[++i];
    else if (argv[i].startsWith('-')) throw new Error(`unknown option ${argv[i]}`);
    else out.dir = path.resolve(argv[i]);
  }
  return out;
}

async function bundle() {
  return esbuild.build({
    absWorkingDir: here,
    entryPoints: { app: 'src/main.tsx', style: 'src/styles/all.css' },
    outdir: path.join(here, 'out'),
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    metafile: true,
    legalComments: 'eof',
    entryNames: 'assets/[name].[hash]',
    chunkNames: 'assets/[name].[hash]',
    logLevel: 'warning',
  });
}

/* The output of an entry point, as the browser asks for it. */
function entry(metafile, source) {
  for (const [file, o] of Object.entries(metafile.outputs)) {
    if (o.entryPoint === source) return '/' + path.posix.relative('out', file);
  }
  throw new Error(`no output for ${source}`);
}

function compress(bytes) {
  const params = {
    [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return {
    gz: zlib.gzipSync(bytes, { level: 9 }),
    br: zlib.brotliCompressSync(bytes, { params }),
  };
}

function write(dir, file, bytes) {
  const name = path.join(dir, file);
  const { gz, br } = compress(bytes);
  fs.mkdirSync(path.dirname(name), { recursive: true });
  fs.writeFileSync(name, bytes);
  fs.writeFileSync(`${name}.gz`, gz);
  fs.writeFileSync(`${name}.br`, br);
  return { raw: bytes.length, gz: gz.length, br: br.length };
}

function writeDepfile(depfile, target, metafile) {
  const inputs = Object.keys(metafile.inputs).map((f) => path.join(here, f));
  for (const f of ['src/index.html', 'src/icon.svg', 'build.mjs']) {
    inputs.push(path.join(here, f));
  }
  const escaped = inputs.map((f) => f.replaceAll(' ', '\\ '));
  fs.writeFileSync(depfile, `${target}: ${escaped.join(' \\\n  ')}\n`);
}

async function main() {
  const { dir, depfile } = parseArguments(process.argv.slice(2));
  const { outputFiles, metafile } = await bundle();
  const files = new Map();
  for (const o of outputFiles) {
    const name = path.relative(path.join(here, 'out'), o.path);
    files.set(name.split(path.sep).join('/'), Buffer.from(o.contents));
  }

  const icon = fs.readFileSync(path.join(here, 'src/icon.svg'));
  const hash = createHash('sha256').update(icon).digest('hex').slice(0, 8);
  files.set(`assets/icon.${hash}.svg`, icon);

  const html = fs
    .readFileSync(path.join(here, 'src/index.html'), 'utf8')
    .replace('%ICON%', `/assets/icon.${hash}.svg`)
    .replace('%STYLE%', entry(metafile, 'src/styles/all.css'))
    .replace('%SCRIPT%', entry(metafile, 'src/main.tsx'));
  files.set('index.html', Buffer.from(html));

  fs.rmSync(path.join(dir, 'assets'), { recursive: true, force: true });
  const lines = [];
  for (const [file, bytes] of [...files].sort()) {
    const size = write(dir, file, bytes);
    const index = file === 'index.html';
    const where = index ? '/' : `/${file}`;
    const cache = index ? 'no-cache' : 'immutable';
    lines.push([where, TYPES[path.extname(file)], file, cache].join('\t'));
    console.log(`${file}  ${size.raw} bytes, ${size.gz} gz, ${size.br} br`);
  }
  fs.writeFileSync(path.join(dir, 'manifest.tsv'), lines.join('\n') + '\n');
  if (depfile) {
    const target = path.relative(process.cwd(), path.join(dir, 'manifest.tsv'));
    writeDepfile(depfile, target, metafile);
  }
}

await main();
