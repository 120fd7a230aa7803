// Builds the addon (native/src) with node-gyp where a C++ compiler exists, again only when its sources have changed.
// Nothing depends on it: a failure is one line, and hastd uses what Node and the base system have.
//
// With the argument `fake`, the addon for tests instead: the same, on the GEOM gate kernel of test/ggate/kernel.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = dirname(fileURLToPath(import.meta.url));
const isFake = process.argv[2] === 'fake';
const name = isFake ? 'addon with a fake kernel' : 'addon';
const folder = isFake ? join(native, '..', 'test', 'ggate', 'kernel') : native;
const built = join(folder, 'build', 'Release', 'hast.node');
const stamp = join(folder, 'build', 'built-from');
const log = join(folder, 'build-addon.log');

const sources = sourcesHash();
if (existsSync(built) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) process.exit(0);
// An addon of other sources may not be loaded.
rmSync(built, { force: true });
const problem = build();
if (problem === null) {
  writeFileSync(stamp, sources);
  console.log(`${name}: built`);
} else {
  console.log(`${name}: not built (${problem}); hastd works without it`);
}

/** Null when it was built, else why not. */
function build() {
  if (!['c++', 'g++', 'clang++'].some(exists)) return 'there is no C++ compiler';
  if (!['make', 'gmake'].some(exists)) return 'there is no make';
  let nodeGyp;
  try {
    nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return 'node-gyp is not installed';
  }
  const args = [nodeGyp, 'rebuild', '--directory', folder, '-j', 'max', ...headers()];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status === 0 && existsSync(built)) {
    rmSync(log, { force: true });
    return null;
  }
  writeFileSync(log, `${stdout}${stderr}`);
  return `the build failed, see ${log}`;
}

/** The headers that came with this node; node-gyp would download others. */
function headers() {
  const prefix = join(dirname(process.execPath), '..');
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

function exists(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function sourcesHash() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  const files = [
    ...sourcesIn(join(native, 'src')),
    ...(isFake ? sourcesIn(folder) : []),
    join(folder, 'binding.gyp'),
  ];
  for (const file of files) hash.update(relative(native, file)).update(readFileSync(file));
  return hash.digest('hex');
}

function sourcesIn(directory) {
  return readdirSync(directory, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return entry.name === 'build' ? [] : sourcesIn(path);
      return /\.(c|cc|h)$/.test(entry.name) ? [path] : [];
    });
}
