/** Numbers on hastctl's command line (core/spec/cli.md section 1). */

const UNIT_SHIFTS: ReadonlyMap<string, bigint> = new Map([
  ['', 0n],
  ['b', 0n],
  ['k', 10n],
  ['m', 20n],
  ['g', 30n],
  ['t', 40n],
  ['p', 50n],
  ['e', 60n],
]);

/**
 * An integer in C notation with an optional unit letter, behind which anything goes: `2m`, `0x200`, ` +3`, `1kb`.
 * Signed 64 bits, as the reference stores it: a minus wraps, and so does what passes 2^63. Null: not a number.
 */
export function parseSize(text: string): bigint | null {
  const match = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)([^]?)/.exec(text);
  const [, sign, digits, unit] = match ?? [];
  const shift = UNIT_SHIFTS.get((unit ?? '').toLowerCase());
  if (digits === undefined || shift === undefined) return null;
  const octal = /^0[0-7]/.test(digits);
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  const value = (sign === '-' ? BigInt.asUintN(64, -magnitude) : magnitude) << shift;
  const fits = magnitude < 1n << 64n && value < 1n << 64n;
  return fits ? BigInt.asIntN(64, value) : null;
}
