/**
 * Synchronous digests and compression (core/spec/wire.md section 4). `core/wire` has them in TypeScript, all but
 * sha256; a native version must equal the TypeScript one byte for byte.
 */
export interface Codecs {
  /** Reflected CRC-32 (zlib's), as an unsigned 32-bit number. */
  crc32(data: Uint8Array): number;
  /** 32 bytes. */
  sha256(data: Uint8Array): Uint8Array;
  /** True when every byte is zero. */
  isZero(data: Uint8Array): boolean;
  /** LZF stream of `source` written to `target`; its length, or 0 when it does not fit (reference encoder). */
  lzfCompress(source: Uint8Array, target: Uint8Array): number;
  /** Expands `source` into `target`; the number of bytes produced, or -1 for a stream that is not valid. */
  lzfDecompress(source: Uint8Array, target: Uint8Array): number;
}
