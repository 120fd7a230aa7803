/**
 * Bytes on their way, in order: copied in once, copied out once, no object per piece. The buffer grows to what was
 * ever waiting in it and is used again from its start whenever it runs empty, which is nearly always.
 */
const FIRST_LENGTH = 1024;
const EMPTY = new Uint8Array(0);
/** Below this a loop is faster than a call that needs a view of the bytes. */
const FEW_BYTES = 48;

export class ByteQueue {
  #bytes: Uint8Array = EMPTY;
  #head = 0;
  #tail = 0;

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
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
  }

  #makeRoom(count: number): void {
    const { length } = this;
    let bytes = this.#bytes;
    if (length + count > bytes.length / 2) {
      let grown = Math.max(FIRST_LENGTH, bytes.length);
      while (length + count > grown / 2) grown *= 2;
      bytes = new Uint8Array(grown);
      bytes.set(this.#bytes.subarray(this.#head, this.#tail));
    } else bytes.copyWithin(0, this.#head, this.#tail);
    this.#bytes = bytes;
    this.#head = 0;
    this.#tail = length;
  }
}

function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, count: number): void {
  if (count <= FEW_BYTES) for (let i = 0; i < count; i++) target[to + i] = source[from + i] ?? 0;
  else if (from === 0 && count === source.length) target.set(source, to);
  else target.set(source.subarray(from, from + count), to);
}
