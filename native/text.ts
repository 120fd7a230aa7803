/**
 * Names have one character per byte inside (Latin-1), so that they pass through unchanged whatever their encoding; Node's
 * interfaces take and give UTF-8.
 */

/** What the system told us, as the name that is used inside. */
export function byteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A name for Node's interfaces. */
export function systemText(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}
