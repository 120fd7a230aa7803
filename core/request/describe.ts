/** How messages name a request (core/spec/cli.md section 8): `WRITE(4096, 131072)`, bytes; `FLUSH`. */
export function describeRequest(request: {
  readonly command: string;
  readonly offset: number;
  readonly length: number;
}): string {
  const { command, offset, length } = request;
  const name = command.toUpperCase();
  return command === 'flush' ? name : `${name}(${String(offset)}, ${String(length)})`;
}
