/**
 * LZF streams (core/spec/wire.md section 4.3). The encoder makes the very choices of the reference, so equal data has
 * equal bytes on the wire, whichever implementation sends it; any valid stream would do for the decoder.
 */

const TABLE_SIZE = 65_536;
const MAX_POSITION = 0x7fff_ffff;
const MAX_DISTANCE = 8192;
const MAX_LITERALS = 32;
const MAX_MATCH = 264;
/** A match takes at most this many bytes of output, control byte and offset. */
const MATCH_BYTES = 3;
const NOTHING = new Uint8Array(0);

/** Keeps the table of positions between calls; what it holds of earlier calls counts as empty. */
export class LzfEncoder {
  /** Where each three-byte index was seen last, counted from the start of the first input. */
  readonly #seen = new Int32Array(TABLE_SIZE);
  /** What position 0 of the current input is in that count. */
  #base = 0;

  #source: Uint8Array = NOTHING;
  #target: Uint8Array = NOTHING;
  /** Bytes of output used, the control byte reserved for the open literal run included. */
  #used = 0;
  /** Literals in the open run. */
  #run = 0;

  /** Writes the stream of `source` to `target`: its length, or 0 when it does not fit (`target` is garbage then). */
  compress(source: Uint8Array, target: Uint8Array): number {
    this.#source = source;
    this.#target = target;
    this.#used = 1;
    this.#run = 0;
    const fits = this.#encode();
    this.#forget(source.length);
    return fits ? this.#used : 0;
  }

  #encode(): boolean {
    const end = this.#source.length;
    let at = 0;
    while (at < end - 2) {
      const earlier = this.#remember(at);
      const length = this.#matchLength(earlier, at);
      if (length === 0) {
        if (this.#used >= this.#target.length) return false;
        this.#literal(at++);
      } else {
        if (this.#used - (this.#run === 0 ? 1 : 0) + MATCH_BYTES + 1 >= this.#target.length) return false;
        this.#match(length, at - earlier);
        at += length;
        if (at >= end - 2) break;
        this.#remember(at - 2);
        this.#remember(at - 1);
      }
    }
    if (this.#used + MATCH_BYTES > this.#target.length) return false;
    while (at < end) this.#literal(at++);
    this.#closeRun();
    return true;
  }

  /** Stores `at` under the index of the three bytes there; the position stored before, 0 for none. */
  #remember(at: number): number {
    const first = this.#byte(at);
    const second = this.#byte(at + 1);
    const third = this.#byte(at + 2);
    const index = (((first << 8) | second) - 5 * ((second << 8) | third)) & (TABLE_SIZE - 1);
    const earlier = (this.#seen[index] ?? 0) - this.#base;
    this.#seen[index] = this.#base + at;
    return Math.max(earlier, 0);
  }

  /** Length of the match of `at` with `earlier`; 0 when there is none. Position 0 never matches. */
  #matchLength(earlier: number, at: number): number {
    const left = this.#source.length - at;
    if (earlier === 0 || at - earlier > MAX_DISTANCE || left <= 4) return 0;
    const most = Math.min(MAX_MATCH, left - 2);
    const limit = most === 17 || most === 18 ? 19 : most;
    let length = 0;
    while (length < limit && this.#byte(earlier + length) === this.#byte(at + length)) length++;
    return length < 3 ? 0 : length;
  }

  #literal(at: number): void {
    this.#put(this.#byte(at));
    this.#run++;
    if (this.#run === MAX_LITERALS) {
      this.#closeRun();
      this.#used++;
    }
  }

  /** Fills in the control byte of the open run, or gives it back when the run is empty. */
  #closeRun(): void {
    if (this.#run === 0) this.#used--;
    else this.#target[this.#used - this.#run - 1] = this.#run - 1;
    this.#run = 0;
  }

  #match(length: number, distance: number): void {
    this.#closeRun();
    const high = (distance - 1) >>> 8;
    const code = length - 2;
    if (code < 7) this.#put((code << 5) | high);
    else {
      this.#put((7 << 5) | high);
      this.#put(code - 7);
    }
    this.#put((distance - 1) & 0xff);
    this.#used++;
  }

  #put(byte: number): void {
    this.#target[this.#used++] = byte;
  }

  #byte(at: number): number {
    return this.#source[at] ?? 0;
  }

  /** Moves on behind the input, so that no position of it is taken for one of the next. */
  #forget(length: number): void {
    this.#source = this.#target = NOTHING;
    this.#base += length;
    if (this.#base > MAX_POSITION / 2) {
      this.#seen.fill(0);
      this.#base = 0;
    }
  }
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
    if (length === 9) length += source[from++] ?? 0;
    if (from >= source.length) return -1;
    let earlier = to - ((control & 0x1f) << 8) - (source[from++] ?? 0) - 1;
    if (earlier < 0 || to + length > target.length) return -1;
    // Byte by byte: a match may overlap its own output.
    for (let i = 0; i < length; i++) target[to++] = target[earlier++] ?? 0;
  }
  return to;
}
