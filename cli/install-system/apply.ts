/**
 * Puts items in their places. A list of everything that was installed, and of the directories made for it, lies among
 * it: what is not on it is never overwritten or removed, and what is on it and no longer wanted goes. It is
 * written before the first file, so that an installation that was interrupted can be repeated or removed.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { EX_CONFIG, EX_IOERR, EX_NOINPUT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import type { Item } from './items.js';

export interface Destination {
  /** Where everything will be found when it runs. */
  readonly prefix: string;
  /** Before the prefix: '' or the directory that a package is made in. */
  readonly root: string;
}

export interface Outcome {
  readonly written: number;
  readonly unchanged: number;
  readonly removed: number;
}

const LIST = 'lib/hast/installed';

export function install(items: readonly Item[], destination: Destination): Outcome {
  return reporting(() => replace(items, baseOf(destination)));
}

/** Removes everything on the list; how many files. */
export function uninstall(destination: Destination): number {
  return reporting(() => remove(baseOf(destination)));
}

function replace(items: readonly Item[], base: string): Outcome {
  const before = readList(base) ?? [];
  refuseForeign(items, base, new Set(before));
  const directories = [...before.filter(isDirectory), ...missingDirectories(items, base)];
  const list = [...new Set([...directories, ...items.map(({ path }) => path), LIST])];
  const obsolete = before.filter((path) => !list.includes(path));
  mkdirSync(dirname(join(base, LIST)), { recursive: true });
  writeList(base, [...list, ...obsolete]);
  let written = 0;
  for (const item of items) {
    if (isInPlace(item, base)) continue;
    put(item, base);
    written++;
  }
  for (const path of obsolete) rmSync(join(base, path), { force: true });
  writeList(base, list);
  return { written, unchanged: items.length - written, removed: obsolete.length };
}

function remove(base: string): number {
  const list = readList(base);
  if (list === null) {
    throw new Failure(EX_NOINPUT, `nothing is installed in ${base}: there is no ${join(base, LIST)}`);
  }
  const files = list.filter((path) => !isDirectory(path) && path !== LIST);
  for (const path of files) rmSync(join(base, path), { force: true });
  // The list goes last: until then all of this can be repeated.
  rmSync(join(base, LIST));
  const innermostFirst = list.filter(isDirectory).sort((a, b) => b.length - a.length);
  for (const path of innermostFirst) removeIfEmpty(join(base, path));
  return files.length;
}

function isDirectory(path: string): boolean {
  return path.endsWith('/');
}

function baseOf({ root, prefix }: Destination): string {
  return `${root}${prefix}`;
}

function readList(base: string): string[] | null {
  const path = join(base, LIST);
  if (!existsSync(path)) return null;
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function writeList(base: string, list: readonly string[]): void {
  const path = join(base, LIST);
  writeFileSync(`${path}.new`, list.map((line) => `${line}\n`).join(''));
  renameSync(`${path}.new`, path);
}

function refuseForeign(items: readonly Item[], base: string, ours: ReadonlySet<string>): void {
  const foreign = items
    .filter((item) => !ours.has(item.path) && exists(join(base, item.path)) && !isInPlace(item, base))
    .map(({ path }) => join(base, path));
  if (foreign.length === 0) return;
  const names = foreign.slice(0, 5).join(', ') + (foreign.length > 5 ? ', ...' : '');
  throw new Failure(
    EX_CONFIG,
    `not installed, because these files belong to something else: ${names}. Move them away, or choose another --prefix`,
  );
}

/** Directories that have to be made, from the prefix downwards, with a slash at the end. */
function missingDirectories(items: readonly Item[], base: string): string[] {
  const missing = new Set<string>();
  for (const { path } of items) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      if (existsSync(join(base, folder))) break;
      missing.add(`${folder}/`);
    }
  }
  return [...missing].sort();
}

function isInPlace(item: Item, base: string): boolean {
  const path = join(base, item.path);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (item.kind === 'link') return found.isSymbolicLink() && readlinkSync(path) === item.target;
  return found.isFile() && (found.mode & 0o7777) === item.mode && readFileSync(path).equals(item.bytes);
}

/** Under another name first: what runs, or is called, sees the old file or the new one. */
function put(item: Item, base: string): void {
  const path = join(base, item.path);
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  if (item.kind === 'link') {
    symlinkSync(item.target, fresh);
  } else {
    writeFileSync(fresh, item.bytes);
    chmodSync(fresh, item.mode);
  }
  renameSync(fresh, path);
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}

/** What the file system says, as a sentence. */
function reporting<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const isDenied = error.code === 'EACCES' || error.code === 'EPERM';
    throw new Failure(
      EX_IOERR,
      `${error.message}${isDenied ? ' (run as root, or choose another --prefix)' : ''}`,
    );
  }
}
