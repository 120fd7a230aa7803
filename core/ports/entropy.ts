/** Unpredictable bytes, for tokens and resource ids. */
export interface Entropy {
  bytes(length: number): Uint8Array;
}
