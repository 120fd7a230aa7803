/** Bytes written as in core/spec/wire.md: hex digits, with blanks and bars to group them. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/[\s|]/g, ''), 'hex'));
}
