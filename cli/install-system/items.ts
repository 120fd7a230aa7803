/**
 * What an installation consists of. The compiled programs keep their layout below <prefix>/lib/hast, because they find
 * each other, the addon and their packages by relative paths; everything else refers to that folder.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EX_CONFIG, EX_UNAVAILABLE } from '../exit-codes.js';
import { Failure } from '../failure.js';

export type SystemName = 'linux' | 'freebsd';

/** One file; `path` is relative to the prefix. */
export type Item =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Buffer; readonly mode: number }
  /** `target` is relative to the link. */
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

const HOME = 'lib/hast';
/** What the compiled code imports, apart from Node. */
const PACKAGES = ['commander', '@noble/hashes'];
/** Where its sources and its build are needed. */
const NOT_INSTALLED = /^cli\/(demo|install-system)(\/|\.js)/;
/** The place that services and configuration are written for. */
const WRITTEN_FOR = { prefix: '/usr/local', node: '/usr/local/bin/node' };

const PROGRAM_MODE = 0o755;
const FILE_MODE = 0o644;

/** All items for `system`, made from the built project in folder `project`. */
export function systemItems(project: string, prefix: string, system: SystemName): Item[] {
  if (!existsSync(join(project, 'dist/cli/hastd.js'))) {
    throw new Failure(EX_UNAVAILABLE, `${project} has not been built: run "npm run build" there first`);
  }
  return [
    ...code(project, system),
    ...programs(prefix),
    ...manuals(project),
    ...scripts(project, system),
    ...services(project, prefix, system),
  ];
}

function code(project: string, system: SystemName): Item[] {
  const items: Item[] = [
    { kind: 'file', path: `${HOME}/package.json`, bytes: packageJson(project), mode: FILE_MODE },
    file(`${HOME}/LICENSE`, join(project, 'LICENSE')),
  ];
  for (const area of ['core', 'sim', 'native', 'cli']) {
    for (const name of filesBelow(join(project, 'dist', area))) {
      const path = `${area}/${name}`;
      if (!path.endsWith('.js') || NOT_INSTALLED.test(path)) continue;
      items.push(file(`${HOME}/dist/${path}`, join(project, 'dist', path)));
    }
  }
  for (const name of PACKAGES) items.push(...packageItems(project, name));
  const addon = 'native/build/Release/hast.node';
  if (existsSync(join(project, addon)) && system === process.platform) {
    items.push(file(`${HOME}/${addon}`, join(project, addon)));
  }
  return items;
}

/** Node reads from it that the code consists of modules. */
function packageJson(project: string): Buffer {
  const { name, version, license } = JSON.parse(
    readFileSync(join(project, 'package.json'), 'utf8'),
  ) as Record<string, string>;
  return Buffer.from(
    `${JSON.stringify({ name, version, license, type: 'module', private: true }, null, 2)}\n`,
  );
}

function packageItems(project: string, name: string): Item[] {
  const folder = join(project, 'node_modules', name);
  if (!existsSync(folder)) throw new Failure(EX_UNAVAILABLE, `${folder} is missing: run "npm ci" first`);
  return filesBelow(folder)
    .filter((path) => !/\.([cm]?ts|map)$/.test(path))
    .map((path) => file(`${HOME}/node_modules/${name}/${path}`, join(folder, path)));
}

/** Small scripts, not links: their first line is the whole path of this Node, which services and rc.subr rely on. */
function programs(prefix: string): Item[] {
  const node = nodePath();
  const program = (path: string, name: string): Item => ({
    kind: 'file',
    path,
    bytes: Buffer.from(`#!${node}\nimport(${JSON.stringify(`${prefix}/${HOME}/dist/cli/${name}.js`)});\n`),
    mode: PROGRAM_MODE,
  });
  return [
    program('sbin/hastd', 'hastd'),
    program('sbin/hastctl', 'hastctl'),
    program('bin/hastsim', 'hastsim'),
  ];
}

function nodePath(): string {
  const path = process.execPath;
  if (!/\s/.test(path)) return path;
  throw new Failure(
    EX_CONFIG,
    `Node is in ${path}: a path with blanks cannot be the interpreter of a program`,
  );
}

function manuals(project: string): Item[] {
  const folder = join(project, 'cli/share/man');
  return filesBelow(folder).flatMap((name) => {
    const section = /\.(\d)$/.exec(name)?.[1];
    return section === undefined ? [] : [file(`share/man/man${section}/${name}`, join(folder, name))];
  });
}

function scripts(project: string, system: SystemName): Item[] {
  const from = join(project, 'cli/share');
  const folders = system === 'linux' ? ['failover', 'ucarp', 'pacemaker'] : ['failover', 'ucarp'];
  const paths = folders.flatMap((folder) =>
    filesBelow(join(from, folder)).map((name) => `${folder}/${name}`),
  );
  if (system === 'freebsd') paths.push('freebsd/carp-hast-switch');
  const items = paths.map((path) => file(`${HOME}/share/${path}`, join(from, path)));
  items.push(file(`${HOME}/share/README.md`, join(from, 'README.md')));
  items.push(link('sbin/hast-failover', 'failover/hast-failover'));
  items.push(link('sbin/ucarp-hast', 'ucarp/ucarp-hast'));
  if (system === 'freebsd') items.push(link('sbin/carp-hast-switch', 'freebsd/carp-hast-switch'));
  else items.push(link('lib/ocf/resource.d/hast/hast', 'pacemaker/hast'));
  return items;
}

function services(project: string, prefix: string, system: SystemName): Item[] {
  const adapt = (path: string, from: string, mode = FILE_MODE): Item => ({
    kind: 'file',
    path,
    bytes: Buffer.from(adapted(readFileSync(join(project, 'cli/share', from), 'utf8'), prefix)),
    mode,
  });
  if (system === 'linux') {
    return [
      adapt('lib/systemd/system/hastd.service', 'linux/hastd.service'),
      adapt('lib/systemd/system/ucarp-hast.service', 'linux/ucarp-hast.service'),
      adapt('lib/sysusers.d/hast.conf', 'linux/sysusers.conf'),
    ];
  }
  return [
    adapt('etc/rc.d/hastd', 'freebsd/rc.d/hastd', PROGRAM_MODE),
    adapt('etc/rc.conf.d/hastd', 'freebsd/rc.conf.d/hastd'),
    // devd reads what is in etc/devd: whether CARP moves HAST is for the administrator to say.
    adapt('share/examples/hast/carp-hast.conf', 'freebsd/devd/carp-hast.conf'),
  ];
}

function adapted(text: string, prefix: string): string {
  return text
    .split(WRITTEN_FOR.node)
    .map((part) => part.replaceAll(WRITTEN_FOR.prefix, prefix))
    .join(nodePath());
}

function file(path: string, from: string): Item {
  const bytes = readFileSync(from);
  const isScript = !path.endsWith('.js') && bytes.subarray(0, 2).equals(Buffer.from('#!'));
  return { kind: 'file', path, bytes, mode: isScript ? PROGRAM_MODE : FILE_MODE };
}

/** A link to one of our scripts. */
function link(path: string, script: string): Item {
  const up = '../'.repeat(path.split('/').length - 1);
  return { kind: 'link', path, target: `${up}${HOME}/share/${script}` };
}

/** Relative paths of all files; none when there is no such folder. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
