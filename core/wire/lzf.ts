/**
 * LZF streams (core/spec/wire.md section 4.3). The encoder makes the very choices of the reference, so equal data has
 * equal bytes on the wire, whichever implementation sends it; any valid stream would do for the decoder.
 */

const TABLE_SIZE = 65_536;
/** Positions are kept in 32 bits; the count starts again before an input could pass them. */
const MAX_BASE = 0x3fff_ffff;
const MAX_DISTANCE = 8192;
const MAX_LITERALS = 32;
const MIN_MATCH = 3;
const MAX_MATCH = 264;
/** Lengths from here on take an extension byte. */
const LONG_MATCH = 9;
const LONG_MATCH_CONTROL = 0xe0;
/** The most that a match takes, control byte and offset. */
const MATCH_BYTES = 3;

/** Keeps the table of positions between calls: what it holds of earlier inputs counts as empty. */
export class LzfEncoder {
  /** Where each index was met last; positions are counted on from input to input. */
  readonly #seen = new Int32Array(TABLE_SIZE);
  /** What position 0 of the next input is in that count. */
  #base = 0;

  /** Writes the stream of `source` to `target`: its length, or 0 when it does not fit (`target` is garbage then). */
  compress(source: Uint8Array, target: Uint8Array): number {
    if (this.#base > MAX_BASE) {
      this.#seen.fill(0);
      this.#base = 0;
    }
    const base = this.#base;
    this.#base += source.length;
    return encode(source, target, this.#seen, base);
  }
}

function encode(source: Uint8Array, target: Uint8Array, seen: Int32Array, base: number): number {
  const end = source.length;
  const capacity = target.length;
  let at = 0;
  /** The control byte of the open literal run stands at `used - run - 1`: it is reserved before it is known. */
  let used = 1;
  let run = 0;

  while (at < end - 2) {
    const earlier = exchange(seen, source, base, at);
    const length = matchLength(source, earlier, at);
    if (length === 0) {
      if (used >= capacity) return 0;
      target[used++] = source[at++] ?? 0;
      if (++run === MAX_LITERALS) {
        used = closeRun(target, used, run) + 1;
        run = 0;
      }
      continue;
    }
    if (used - (run === 0 ? 1 : 0) + MATCH_BYTES + 1 >= capacity) return 0;
    used = closeRun(target, used, run);
    used = writeMatch(target, used, length, at - earlier) + 1;
    run = 0;
    at += length;
    if (at >= end - 2) break;
    exchange(seen, source, base, at - 2);
    exchange(seen, source, base, at - 1);
  }

  if (used + MATCH_BYTES > capacity) return 0;
  while (at < end) {
    target[used++] = source[at++] ?? 0;
    if (++run === MAX_LITERALS) {
      used = closeRun(target, used, run) + 1;
      run = 0;
    }
  }
  return closeRun(target, used, run);
}

/** Stores `at` under the index of the three bytes there; what was stored: 0 or less for nothing of this input. */
function exchange(seen: Int32Array, source: Uint8Array, base: number, at: number): number {
  const second = source[at + 1] ?? 0;
  const first = ((source[at] ?? 0) << 8) | second;
  const index = (first - 5 * ((second << 8) | (source[at + 2] ?? 0))) & (TABLE_SIZE - 1);
  const earlier = (seen[index] ?? 0) - base;
  seen[index] = base + at;
  return earlier;
}

/** Length of the match of `at` with `earlier`; 0 when there is none. Position 0 never matches. */
function matchLength(source: Uint8Array, earlier: number, at: number): number {
  const left = source.length - at;
  if (earlier <= 0 || at - earlier > MAX_DISTANCE || left <= 4) return 0;
  const most = Math.min(MAX_MATCH, left - 2);
  // The reference compares the first 16 bytes in one go.
  const limit = most === 17 || most === 18 ? 19 : most;
  let length = 0;
  while (length < limit && source[earlier + length] === source[at + length]) length++;
  return length < MIN_MATCH ? 0 : length;
}

/** Fills in the control byte of a run, or gives it back when the run is empty; the bytes used then. */
function closeRun(target: Uint8Array, used: number, run: number): number {
  if (run === 0) return used - 1;
  target[used - run - 1] = run - 1;
  return used;
}

function writeMatch(target: Uint8Array, at: number, length: number, distance: number): number {
  const high = (distance - 1) >>> 8;
  if (length < LONG_MATCH) target[at++] = ((length - 2) << 5) | high;
  else {
    target[at++] = LONG_MATCH_CONTROL | high;
    target[at++] = length - LONG_MATCH;
  }
  target[at++] = (distance - 1) & 0xff;
  return at;
}

/**
 * Expands `source` into `target`: the number of bytes produced, or -1 for a stream that is not valid or passes the
 * end of `target`.
 */
export function lzfDecompress(source: Uint8Array, target: Uint8Array): number {
  let from = 0;
  let to = 0;
  while (from < source.length) {
    const control = source[from++] ?? 0;
    if (control < MAX_LITERALS) {
      const length = control + 1;
      if (from + length > source.length || to + length > target.length) return -1;
      for (let i = 0; i < length; i++) target[to++] = source[from++] ?? 0;
      continue;
    }
    let length = (control >>> 5) + 2;
    if (length === LONG_MATCH) length += source[from++] ?? 0;
    if (from >= source.length) return -1;
    let earlier = to - ((control & 0x1f) << 8) - (source[from++] ?? 0) - 1;
    if (earlier < 0 || to + length > target.length) return -1;
    // Byte by byte: a match may overlap its own output.
    for (let i = 0; i < length; i++) target[to++] = target[earlier++] ?? 0;
  }
  return to;
}
