import fc from 'fast-check';

/** Every way to cut `length` bytes into consecutive pieces: the sorted cut positions. */
export function cutPositions(length: number): fc.Arbitrary<number[]> {
  return fc
    .uniqueArray(fc.integer({ min: 1, max: Math.max(1, length - 1) }), { maxLength: 16 })
    .map((cuts) => cuts.filter((cut) => cut < length).sort((a, b) => a - b));
}
