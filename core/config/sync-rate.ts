/**
 * `syncrate` of hast.conf (ours; core/spec/config.md section 2): `adaptive`, `MOST` or `LEAST-MOST`, bytes per second with
 * K, M, G or T for powers of 1024.
 */
import { DEFAULT_SYNCRATE } from './defaults.js';
import type { SyncRate } from './types.js';

export const SYNC_RATE_FORMS =
  'adaptive, MOST or LEAST-MOST in bytes per second, such as 100M or 5M-100M; 64K at least';

const ADAPTIVE = 'adaptive';
/** Below that, a chunk would take longer than a peer's patience. */
const LEAST_PER_S = 2 ** 16;
const UNITS = ['', 'K', 'M', 'G', 'T'];

/** Null: it is none. */
export function parseSyncRate(text: string): SyncRate | null {
  if (text === ADAPTIVE) return DEFAULT_SYNCRATE;
  const { least, most } = /^(?:(?<least>[0-9]+[KMGT]?)-)?(?<most>[0-9]+[KMGT]?)$/i.exec(text)?.groups ?? {};
  if (most === undefined) return null;
  const mostPerS = bytes(most);
  const leastPerS = least === undefined ? Math.min(DEFAULT_SYNCRATE.leastPerS, mostPerS) : bytes(least);
  const isSensible = leastPerS >= LEAST_PER_S && leastPerS <= mostPerS && Number.isSafeInteger(mostPerS);
  return isSensible ? { leastPerS, mostPerS } : null;
}

export function formatSyncRate({ leastPerS, mostPerS }: SyncRate): string {
  return mostPerS === null ? ADAPTIVE : `${String(leastPerS)}-${String(mostPerS)}`;
}

export function isSameSyncRate(a: SyncRate, b: SyncRate): boolean {
  return a.leastPerS === b.leastPerS && a.mostPerS === b.mostPerS;
}

function bytes(text: string): number {
  return parseInt(text, 10) * 1024 ** UNITS.indexOf(text.replace(/^[0-9]+/, '').toUpperCase());
}
