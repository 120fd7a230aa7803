/** The test behind `compression hole` (core/spec/wire.md section 4.2): every payload is scanned, so by words. */

/** True when every byte is zero. */
export function isZero(data: Uint8Array): boolean {
  if (data[0] !== 0) return data.length === 0;
  const aligned = Math.min(-data.byteOffset & 3, data.length);
  const words = (data.length - aligned) >>> 2;
  const tail = aligned + words * 4;
  for (let i = 0; i < aligned; i++) if (data[i] !== 0) return false;
  for (let i = tail; i < data.length; i++) if (data[i] !== 0) return false;
  return words === 0 || isZeroWords(new Int32Array(data.buffer, data.byteOffset + aligned, words));
}

/** Four words a step; an undefined word past the end counts as zero. */
function isZeroWords(words: Int32Array): boolean {
  for (let i = 0; i < words.length; i += 4)
    if (((words[i] ?? 0) | (words[i + 1] ?? 0) | (words[i + 2] ?? 0) | (words[i + 3] ?? 0)) !== 0)
      return false;
  return true;
}
