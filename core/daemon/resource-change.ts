import { isSameSyncRate } from '../config/sync-rate.js';
import type { ResourceConfig } from '../config/types.js';
import type { Role } from '../resource/types.js';

/** What a primary's worker cannot change while it runs. */
const FIXED: readonly (keyof ResourceConfig)[] = ['provname', 'localpath'];
const LIVE: readonly (keyof ResourceConfig)[] = [
  'remoteaddr',
  'sourceaddr',
  'replication',
  'checksum',
  'compression',
  'timeout',
  'exec',
  'metaflush',
];

/** What it takes to go from `old` to `wanted` (table of core/spec/config.md section 7). */
export function changeOf(
  old: ResourceConfig,
  wanted: ResourceConfig,
  role: Role,
): 'none' | 'live' | 'restart' {
  const differs = (key: keyof ResourceConfig): boolean => old[key] !== wanted[key];
  if (FIXED.some(differs)) return 'restart';
  if (!LIVE.some(differs)) return isSameSyncRate(old.syncrate, wanted.syncrate) ? 'none' : 'live';
  return role === 'primary' ? 'live' : 'restart';
}
