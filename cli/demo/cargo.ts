/**
 * What is stored and must not be lost: real files, one after the other as on a tape, and random data, each with its
 * SHA-256 taken before it is stored.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectNbd } from '../../native/nbd/client.js';
import type { Progress } from './stage.js';

export interface Item {
  readonly name: string;
  /** On the device, bytes. */
  readonly offset: number;
  readonly data: Buffer;
  readonly sha256: string;
}

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const BLOCK_BYTES = 4096;
const REQUEST_BYTES = 1 << 20;
const IN_FLIGHT = 8;
const MEGABYTE = 1 << 20;

/** Files of this project, of the TypeScript compiler and of Node itself, at most so much of each. */
const SOURCES: readonly { readonly folder: string; readonly limitBytes: number }[] = [
  { folder: 'core', limitBytes: 4 * MEGABYTE },
  { folder: 'test', limitBytes: 8 * MEGABYTE },
  { folder: 'node_modules/typescript/lib', limitBytes: 16 * MEGABYTE },
];
const PROGRAM_BYTES = 24 * MEGABYTE;

/** Lays items out from `offset` on, each at the start of a block. */
class Tape {
  readonly items: Item[] = [];
  offset: number;

  constructor(offset: number) {
    this.offset = offset;
  }

  add(name: string, content: Buffer): void {
    const data = Buffer.alloc(Math.ceil(content.length / BLOCK_BYTES) * BLOCK_BYTES);
    content.copy(data);
    this.items.push({ name, offset: this.offset, data, sha256: sha256(data) });
    this.offset += data.length;
  }
}

/** Real files, then random data up to `totalBytes`. */
export function mixedCargo(totalBytes: number): readonly Item[] {
  const tape = new Tape(0);
  for (const { folder, limitBytes } of SOURCES) addFolder(tape, folder, limitBytes);
  tape.add('node (the program)', head(process.execPath, PROGRAM_BYTES));
  for (let number = 1; tape.offset < totalBytes; number++) {
    tape.add(
      `random-${number}`,
      randomFillSync(Buffer.alloc(Math.min(4 * MEGABYTE, totalBytes - tape.offset))),
    );
  }
  return tape.items;
}

/** `count` random items of `bytes` each, `strideBytes` apart. */
export function scatteredCargo(
  offset: number,
  count: number,
  bytes: number,
  strideBytes: number,
): readonly Item[] {
  return Array.from({ length: count }, (_, i) => {
    const data = randomFillSync(Buffer.alloc(bytes));
    return { name: `later-${i + 1}`, offset: offset + i * strideBytes, data, sha256: sha256(data) };
  });
}

export function sizeOf(items: readonly Item[]): number {
  return items.reduce((sum, { data }) => sum + data.length, 0);
}

/** Writes everything through the device at `path` and flushes it. */
export async function store(path: string, items: readonly Item[], progress: Progress): Promise<void> {
  const client = await connectNbd({ path });
  let storedBytes = 0;
  await inFlight(requestsOf(items), async ({ item, start, end }) => {
    await client.write(item.offset + start, item.data.subarray(start, end));
    storedBytes += end - start;
    progress.at(storedBytes);
  });
  await client.flush();
  await client.disconnect();
  progress.done();
}

/** Reads everything back through the device at `path`; the items that are not what they were. */
export async function verify(
  path: string,
  items: readonly Item[],
  progress: Progress,
): Promise<readonly Item[]> {
  const client = await connectNbd({ path });
  const found = new Map(items.map((item) => [item, Buffer.alloc(item.data.length)]));
  let readBytes = 0;
  await inFlight(requestsOf(items), async ({ item, start, end }) => {
    found.get(item)?.set(await client.read(item.offset + start, end - start), start);
    readBytes += end - start;
    progress.at(readBytes);
  });
  await client.disconnect();
  progress.done();
  return items.filter((item) => sha256(found.get(item) ?? Buffer.alloc(0)) !== item.sha256);
}

interface Request {
  readonly item: Item;
  readonly start: number;
  readonly end: number;
}

function* requestsOf(items: readonly Item[]): Generator<Request> {
  for (const item of items) {
    for (let start = 0; start < item.data.length; start += REQUEST_BYTES) {
      yield { item, start, end: Math.min(start + REQUEST_BYTES, item.data.length) };
    }
  }
}

async function inFlight(
  requests: Iterable<Request>,
  perform: (request: Request) => Promise<void>,
): Promise<void> {
  const queue = requests[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await perform(next.value);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

function addFolder(tape: Tape, folder: string, limitBytes: number): void {
  const end = tape.offset + limitBytes;
  const entries = readdirSync(join(PROJECT, folder), { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) {
    const content = readFileSync(path);
    if (content.length > 0 && tape.offset + content.length <= end) tape.add(relative(PROJECT, path), content);
  }
}

function head(path: string, limitBytes: number): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const content = Buffer.alloc(Math.min(limitBytes, fstatSync(descriptor).size));
    return content.subarray(0, readSync(descriptor, content));
  } finally {
    closeSync(descriptor);
  }
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
