/**
 * Bytes on their way, in order: copied in once, copied out once, no object per piece. A queue that runs empty, as it nearly
 * always does, gives its buffer back to the pool, so a few buffers serve all queues.
 */
const SMALLEST_BUFFER = 4096;
/** Below this a loop is faster than a call that needs a view of the bytes. */
const FEW_BYTES = 48;
const EMPTY = new Uint8Array(0);

export class BufferPool {
  readonly #free: Uint8Array[] = [];

  /** A buffer of at least `length` bytes, whatever they are. */
  take(length: number): Uint8Array {
    const bytes = this.#free.pop();
    // One that is too short is let go: the lengths that are needed are soon the only ones here.
    if (bytes !== undefined && bytes.length >= length) return bytes;
    let enough = SMALLEST_BUFFER;
    while (enough < length) enough *= 2;
    return new Uint8Array(enough);
  }

  giveBack(bytes: Uint8Array): void {
    this.#free.push(bytes);
  }
}

export class ByteQueue {
  readonly #pool: BufferPool;
  #bytes: Uint8Array = EMPTY;
  #head = 0;
  #tail = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get length(): number {
    return this.#tail - this.#head;
  }

  /** Appends the first `count` bytes of `source`. */
  push(source: Uint8Array, count: number): void {
    if (this.#tail + count > this.#bytes.length) this.#makeRoom(count);
    copy(source, 0, this.#bytes, this.#tail, count);
    this.#tail += count;
  }

  /** Moves the oldest `count` bytes to the start of `target`. */
  take(target: Uint8Array, count: number): void {
    copy(this.#bytes, this.#head, target, 0, count);
    this.drop(count);
  }

  /** Removes the oldest `count` bytes. */
  drop(count: number): void {
    this.#head += count;
    if (this.#head < this.#tail || this.#tail === 0) return;
    this.#pool.giveBack(this.#bytes);
    this.#bytes = EMPTY;
    this.#head = this.#tail = 0;
  }

  #makeRoom(count: number): void {
    const { length } = this;
    const old = this.#bytes;
    // Half of it stays free: bytes are moved to the start now and then only.
    if (length === 0) this.#bytes = this.#pool.take(count);
    else if (2 * (length + count) <= old.length) old.copyWithin(0, this.#head, this.#tail);
    else {
      this.#bytes = this.#pool.take(2 * (length + count));
      this.#bytes.set(old.subarray(this.#head, this.#tail));
      this.#pool.giveBack(old);
    }
    this.#head = 0;
    this.#tail = length;
  }
}

function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, count: number): void {
  if (count <= FEW_BYTES) for (let i = 0; i < count; i++) target[to + i] = source[from + i] ?? 0;
  else if (from === 0 && count === source.length) target.set(source, to);
  else target.set(source.subarray(from, from + count), to);
}
