/** Reading recordings. Their shapes are described in the README.md beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function readJson<Shape>(folder: string, file: string): Shape {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Shape;
}

/** One value per line. */
export function readJsonLines<Shape>(folder: string, file: string): Shape[] {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Shape);
}

/** Paths, relative to `folder`, of the files in its sub-folder `under` that end in `extension`; sorted. */
export function filesUnder(folder: string, under: string, extension: string): string[] {
  return readdirSync(join(folder, under))
    .filter((name) => name.endsWith(extension))
    .map((name) => `${under}/${name}`)
    .sort();
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
