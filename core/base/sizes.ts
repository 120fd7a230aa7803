/** Sizes as HAST prints them (core/spec/cli.md section 4): `2.0MB`, `296KB`, three digits at most. */

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** `bytes` in the greatest unit that leaves a number below 1000; one decimal when that is below 10. */
export function formatSize(bytes: number | bigint): string {
  if (bytes < 0) return `-${formatSize(-BigInt(bytes))}`;
  let rest = BigInt(bytes);
  let remainder = 0n;
  let unit = 0;
  while ((rest >= 1000n || (rest === 999n && remainder >= 512n)) && unit < UNITS.length - 1) {
    remainder = rest % 1024n;
    rest /= 1024n;
    unit++;
  }
  return `${withDecimal(rest, remainder, unit)}${UNITS[unit] ?? ''}B`;
}

/** `remainder` counts 1024ths. */
function withDecimal(whole: bigint, remainder: bigint, unit: number): string {
  if (unit === 0) return `${whole}`;
  if (whole < 9n || (whole === 9n && remainder < 973n)) {
    const tenths = (10n * remainder + 512n) / 1024n;
    return `${whole + tenths / 10n}.${tenths % 10n}`;
  }
  return `${whole + (remainder + 512n) / 1024n}`;
}
