/** Durations as people write them: `150ms`, `2s`, `250us`. Milliseconds inside, as everywhere; every number comes back as it was. */

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
const DURATION = /^(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(us|ms|s|min|h)$/;
const LARGEST_FIRST = Object.entries(UNIT_MS).reverse();

/** Milliseconds, or null when `word` is not a duration. */
export function parseDuration(word: string): number | null {
  const [, number = '', unit = ''] = DURATION.exec(word) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined) return null;
  // A thousandth has no exact form, a division by a thousand is as exact as can be.
  const ms = unit === 'us' ? Number(number) / 1000 : Number(number) * unitMs;
  return Number.isFinite(ms) ? ms : null;
}

/** In the largest unit that gives a whole number; `durationMs` is at least 0 and finite. */
export function printDuration(durationMs: number): string {
  for (const [unit, unitMs] of durationMs > 0 ? LARGEST_FIRST : []) {
    const text = `${String(Math.round(durationMs / unitMs))}${unit}`;
    if (parseDuration(text) === durationMs) return text;
  }
  return `${String(durationMs)}ms`;
}
