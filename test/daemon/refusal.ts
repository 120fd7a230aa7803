export function hex(bytes: Uint8Array | readonly number[]): string {
  return Buffer.from(bytes).toString('hex');
}

/** Frame of a refusal, written out by hand: version, text, its padding, and whether `wait` follows. */
export function refusal(version: number, text: string, wait: boolean): string {
  const value = Buffer.alloc(Math.ceil((text.length + 1) / 8) * 8);
  value.write(text, 'latin1');
  const size = Buffer.from([text.length + 1, 0, 0, 0]).toString('hex');
  const pairs =
    `1107${size}6572726d73670000${value.toString('hex')}` +
    (wait ? '020501000000' + '7761697400000000' + '0100000000000000' : '');
  return Buffer.from([version, pairs.length / 2, 0, 0, 0]).toString('hex') + pairs;
}
