/** Watches what lies in front of the user data of a component, and tells in words what has changed. */
import { Bitmap } from '../../core/activemap/bitmap.js';
import type { Metadata } from '../../core/metadata/codec.js';
import { parseMetadata } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { isPortError } from '../../core/ports/error.js';
import { simCodecs } from '../codecs.js';

type Field = keyof Metadata;

const FRESH_VALUES = ['0', 'init', 'false', 'none'];
/** Names and sizes never change. */
const FIELDS: readonly Field[] = ['resuid', 'localcnt', 'remotecnt', 'prevrole', 'incomplete', 'localBad'];

export interface FrontChange {
  readonly kind: 'metadata' | 'map';
  /** As `localcnt 0 -> 1` or `+3 +5..7 -9`, extents that became dirty and clean. */
  readonly text: string;
}

export class FrontWatch {
  /** The image, which goes on changing. */
  readonly #image: Uint8Array;
  readonly #extents: number;
  /** What it was. */
  readonly #known: Uint8Array;

  /** `image` is that of a whole component. */
  constructor(image: Uint8Array, extents: number) {
    this.#image = image;
    this.#extents = extents;
    this.#known = image.slice(0, METADATA_BYTES + Math.ceil(extents / 8));
  }

  /** What is different since the last call. */
  changes(): readonly FrontChange[] {
    const before = this.#known.slice();
    this.#known.set(this.#image.subarray(0, before.length));
    const changes: FrontChange[] = [];
    const metadata = metadataChange(front(before), front(this.#known));
    if (metadata !== null) changes.push({ kind: 'metadata', text: metadata });
    const map = mapChange(this.#map(before), this.#map(this.#known));
    if (map !== '') changes.push({ kind: 'map', text: map });
    return changes;
  }

  #map(known: Uint8Array): Bitmap {
    return Bitmap.from(known.subarray(METADATA_BYTES), this.#extents);
  }
}

function front(known: Uint8Array): Uint8Array {
  return known.subarray(0, METADATA_BYTES);
}

function metadataChange(before: Uint8Array, after: Uint8Array): string | null {
  if (before.every((byte, index) => byte === after[index])) return null;
  const [old, now] = [parseMetadata(before, simCodecs), parseMetadata(after, simCodecs)];
  if (isPortError(now)) return 'unreadable';
  if (isPortError(old)) return created(now);
  const changed = FIELDS.filter((field) => valueOf(old, field) !== valueOf(now, field));
  if (changed.length === 0) return 'rewritten';
  return changed.map((field) => `${field} ${valueOf(old, field)} -> ${valueOf(now, field)}`).join(', ');
}

/** The fields that tell it from what `hastctl create` writes. */
function created(metadata: Metadata): string {
  const fields = FIELDS.filter((field) => !FRESH_VALUES.includes(valueOf(metadata, field)));
  if (fields.length === 0) return 'as created';
  return fields.map((field) => `${field} ${valueOf(metadata, field)}`).join(', ');
}

function valueOf(metadata: Metadata, field: Field): string {
  if (field === 'localBad') {
    const ranges = metadata.localBad.map(({ offset, length }) => `${String(offset)}+${String(length)}`);
    return ranges.length === 0 ? 'none' : ranges.join(' ');
  }
  if (field === 'resuid') return shortId(metadata.resuid);
  return String(metadata[field]);
}

/** Enough of a resource id to tell it from another. */
export function shortId(resuid: bigint): string {
  return resuid === 0n ? '0' : `${resuid.toString(16).slice(0, 4)}...`;
}

function mapChange(before: Bitmap, after: Bitmap): string {
  const set: number[] = [];
  const cleared: number[] = [];
  for (let extent = 0; extent < after.size; extent++) {
    if (after.has(extent) === before.has(extent)) continue;
    (after.has(extent) ? set : cleared).push(extent);
  }
  return [
    ...rangesOf(set).map((range) => `+${range}`),
    ...rangesOf(cleared).map((range) => `-${range}`),
  ].join(' ');
}

/** `[1, 2, 3, 7]` -> `['1..3', '7']`; ascending numbers. */
export function rangesOf(numbers: readonly number[]): readonly string[] {
  const ranges: string[] = [];
  for (let i = 0; i < numbers.length;) {
    const first = numbers[i] ?? 0;
    let last = first;
    for (i++; numbers[i] === last + 1; i++) last++;
    ranges.push(first === last ? String(first) : `${String(first)}..${String(last)}`);
  }
  return ranges;
}
