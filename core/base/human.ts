/** Sizes and durations as log lines and `hastctl` show them (core/spec/cli.md sections 4 and 8). */

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** `2097152` -> `2.0MB`; for non-negative byte counts. */
export function formatBytes(bytes: number): string {
  let whole = bytes;
  let rest = 0;
  let unit = 0;
  while ((whole >= 1000 || (whole === 999 && rest >= 512)) && unit < UNITS.length - 1) {
    rest = whole % 1024;
    whole = Math.floor(whole / 1024);
    unit++;
  }
  const suffix = `${UNITS[unit] ?? ''}B`;
  if (unit > 0 && (whole < 9 || (whole === 9 && rest < 973))) {
    const tenths = Math.floor((rest * 10 + 512) / 1024);
    return `${String(whole + Math.floor(tenths / 10))}.${String(tenths % 10)}${suffix}`;
  }
  return `${String(whole + Math.floor((rest + 512) / 1024))}${suffix}`;
}

/** `3723000` -> `1h2m3s`; units of zero at the end are left out, nothing at all is `0s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  let text = '';
  let trailing = '';
  for (const [value, unit] of parts) {
    if (value === 0 && text === '') continue;
    trailing += `${String(value)}${unit}`;
    if (value !== 0) {
      text += trailing;
      trailing = '';
    }
  }
  return text === '' ? '0s' : text;
}
