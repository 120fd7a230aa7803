// `npm run demo`: works in a fresh clone. Installs and builds when that has not been done, then runs the demonstration.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`HAST needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}
if (!existsSync(join(root, 'node_modules', 'typescript', 'bin', 'tsc'))) npm('ci', 'Installing packages');
if (['core', 'sim', 'native', 'cli'].some(isStale)) npm('run build', 'Building');
await import('../dist/cli/demo/main.js');

/** Runs npm; its output is shown only when it fails. */
function npm(command, what) {
  console.log(`${what} (npm ${command}) ...`);
  const { status, stdout, stderr } = spawnSync('npm', command.split(' '), {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  console.error(`${stdout ?? ''}${stderr ?? ''}\nnpm ${command} failed; the demonstration needs it.`);
  process.exit(1);
}

/** Whether a source of this part is newer than what was built from it. */
function isStale(part) {
  const built = join(root, 'dist', part, '.tsbuildinfo');
  return !existsSync(built) || newest(join(root, part)) > statSync(built).mtimeMs;
}

function newest(folder) {
  const times = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  return Math.max(...times);
}
