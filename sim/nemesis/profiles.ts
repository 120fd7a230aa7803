/**
 * What kind of histories to look at, as data: how likely each act is, and what the world is made of. A profile that makes a rare
 * history likely finds in a hundred seeds what the default one finds in ten thousand.
 */
import type { ChecksumName, CompressionName, ReplicationMode } from '../../core/config/types.js';
import type { CoreName, NodeName } from '../script/script.js';
import type { ActName } from './acts.js';

type Range = readonly [least: number, most: number];

/** How the nodes meet for the first time. */
export type Opening =
  /** Secondary first, then the primary. */
  | 'usual'
  /** The first writes are made before the secondary has a role. */
  | 'alone'
  /** Their first handshakes are interrupted. */
  | 'struck'
  /** Both are primary, cut off from each other, before they ever met. */
  | 'two-virgins';

export interface Profile {
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  /** Relative to each other; an act that is not named does not happen. */
  readonly acts: Readonly<Partial<Record<ActName, number>>>;
  /** One in so many seeds is calm; 0: none is. */
  readonly calmOneIn: number;
  /** Each enabled with probability 1/2, as a swarm; false: all of them, always. */
  readonly swarm: boolean;
  /** Acts of a history. */
  readonly length: Range;
  readonly requests: number;
  readonly openings: readonly Opening[];
  readonly modes: readonly ReplicationMode[];
  readonly checksums: readonly ChecksumName[];
  readonly compressions: readonly CompressionName[];
  /** Seconds. */
  readonly timeout: Range;
  readonly extents: Range;
  readonly extentBytes: readonly number[];
  readonly keepdirty: Range;
  readonly cores: readonly Readonly<Record<NodeName, CoreName>>[];
}

const PROCESSES = {
  'kill-worker': 3,
  'kill-daemon': 1,
  'secondary-crash': 3,
  'primary-crash': 3,
  blackout: 2,
  'slow-crash': 2,
  'lost-in-flight': 1,
  pause: 2,
  restart: 1,
} as const;

const NETWORK = {
  partition: 3,
  flap: 1,
  'cut-message': 3,
  silence: 1,
  channels: 2,
  reset: 3,
  refuse: 1,
  latency: 1,
  bandwidth: 1,
  spikes: 1,
  batches: 1,
  pieces: 1,
  'late-close': 1,
  move: 1,
  'cut-off': 1,
} as const;

const DISKS = {
  'bad-blocks': 3,
  'bad-on-both': 1,
  'bad-knowledge': 2,
  'bad-flush': 2,
  'bad-then-lost': 1,
  'bad-then-behind': 1,
  'read-behind-writes': 1,
  'damaged-metadata': 1,
  'no-space': 1,
  'poor-disk': 1,
  'slow-disk': 1,
  'stuck-disk': 1,
} as const;

const ROLES = {
  swap: 2,
  'hasty-swap': 1,
  'role-storm': 1,
  failover: 3,
  'fail-back': 2,
  'promote-target': 2,
  'promote-stale': 1,
  split: 2,
  'double-primary': 1,
  'wrong-node': 1,
  'replace-secondary': 1,
} as const;

const SESSIONS = {
  'interrupt-sessions': 3,
  'cut-handshakes': 2,
  'trouble-in-handshakes': 2,
  'race-sync': 2,
  'race-sync-from-secondary': 2,
  'behind-at-work': 1,
  'writes-at-install': 1,
  'deletes-in-sync': 1,
  'reload-then-reconnect': 1,
} as const;

const ALL = { ...PROCESSES, ...NETWORK, ...DISKS, ...ROLES, ...SESSIONS, idle: 1, reload: 1 } as const;

const OWN_CORES = [{ a: 'own', b: 'own' }] as const;

const DEFAULT: Profile = {
  name: 'default',
  about: 'everything that a replicated disk must survive',
  acts: ALL,
  calmOneIn: 10,
  swarm: true,
  length: [1, 8],
  requests: 200,
  openings: ['usual', 'usual', 'usual', 'usual', 'usual', 'alone', 'struck', 'two-virgins'],
  modes: ['fullsync', 'memsync', 'async'],
  // The slow one less often.
  checksums: ['none', 'none', 'none', 'none', 'crc32', 'crc32', 'crc32', 'crc32', 'sha256'],
  compressions: ['none', 'none', 'none', 'hole', 'hole', 'hole', 'lzf'],
  timeout: [5, 20],
  // Small: every session that begins copies all of it, and requests that meet each other find more than those that do not.
  extents: [4, 12],
  extentBytes: [4096, 4096, 8192],
  keepdirty: [1, 4],
  cores: OWN_CORES,
};

/** There is more to copy, and to interrupt. */
const LARGER = { extents: [4, 16], extentBytes: [4096, 8192] } as const;

/** A part of the default profile, with nothing calm in it. */
function only(name: string, about: string, acts: Profile['acts'], change: Partial<Profile> = {}): Profile {
  return { ...DEFAULT, ...LARGER, calmOneIn: 0, ...change, name, about, acts };
}

const OTHERS: readonly Profile[] = [
  { ...DEFAULT, name: 'calm', about: 'nothing fails', acts: { idle: 1, swap: 2, reload: 2 }, calmOneIn: 1 },
  only('network', 'links and connections', { ...NETWORK, ...SESSIONS, swap: 1, reload: 1, idle: 1 }),
  only(
    'wire',
    'messages that arrive slowly, in part, or not at all',
    {
      'cut-message': 6,
      bandwidth: 3,
      channels: 2,
      reset: 2,
      'late-close': 1,
      'kill-worker': 1,
      'race-sync': 1,
      'cut-off': 1,
    },
    { modes: ['fullsync', 'memsync', 'memsync', 'memsync', 'async'] },
  ),
  only('disk', 'disks that refuse or delay, and what follows', {
    ...DISKS,
    'kill-worker': 2,
    'slow-crash': 1,
    'trouble-in-handshakes': 3,
    'secondary-crash': 1,
    failover: 2,
    swap: 1,
    reset: 1,
  }),
  only('crash', 'processes that die', {
    ...PROCESSES,
    failover: 2,
    'interrupt-sessions': 2,
    'promote-target': 1,
  }),
  only('power', 'machines that lose what was not flushed', {
    'lost-in-flight': 3,
    'secondary-crash': 3,
    'primary-crash': 3,
    blackout: 4,
    'slow-crash': 4,
    'bad-flush': 3,
    failover: 2,
    idle: 2,
  }),
  only('roles', 'the operator changes roles, well or badly', {
    ...ROLES,
    'kill-worker': 1,
    'secondary-crash': 1,
    reset: 1,
  }),
  only(
    'split',
    'both nodes write alone',
    {
      split: 6,
      'behind-at-work': 4,
      'double-primary': 2,
      'promote-stale': 3,
      'fail-back': 2,
      failover: 2,
      partition: 1,
      'primary-crash': 1,
    },
    { openings: ['usual', 'usual', 'two-virgins', 'alone'] },
  ),
  only('resync', 'synchronisations and what interrupts them', {
    'race-sync': 4,
    'writes-at-install': 3,
    'deletes-in-sync': 2,
    'race-sync-from-secondary': 4,
    'promote-target': 2,
    'fail-back': 2,
    'replace-secondary': 2,
    'interrupt-sessions': 2,
    'secondary-crash': 2,
    'bad-blocks': 1,
  }),
  only(
    'handshake',
    'sessions that end before they have begun',
    { ...SESSIONS, 'replace-secondary': 2, 'fail-back': 1 },
    { openings: ['usual', 'alone', 'struck', 'struck'] },
  ),
  only(
    'eviction',
    'one extent stays dirty, many are written: bits come and go all the time',
    {
      'slow-crash': 2,
      'secondary-crash': 3,
      'primary-crash': 2,
      blackout: 2,
      reset: 3,
      partition: 2,
      'bad-flush': 2,
      idle: 3,
    },
    { keepdirty: [1, 1], extents: [12, 16] },
  ),
  only('flush', 'flushes that fail or take long, around the end of sessions', {
    'bad-flush': 6,
    'slow-crash': 3,
    'trouble-in-handshakes': 3,
    'secondary-crash': 2,
    failover: 2,
    blackout: 2,
    idle: 2,
  }),
  only('async', 'asynchronous replication', ALL, { modes: ['async'] }),
  only('memsync', 'acknowledged from the memory of the peer', ALL, { modes: ['memsync'] }),
  only(
    'geometry',
    'so many extents that the map fills its sector',
    { swap: 1, reset: 2, 'kill-worker': 1, 'secondary-crash': 1 },
    { extents: [4088, 4095], extentBytes: [512] },
  ),
  only('damage', 'metadata that has changed by itself', {
    'damaged-metadata': 4,
    swap: 1,
    failover: 1,
    reset: 1,
  }),
  only('hostile', 'disks that lie, forget and invent: nothing may hang or crash', {
    ...ALL,
    'lying-disk': 6,
    corruption: 6,
    misdirection: 6,
    'short-disk': 6,
    'old-disk': 6,
  }),
  only('reference-peer', 'one node behaves as FreeBSD 12.1 does', ALL, {
    cores: [
      { a: 'own', b: 'freebsd-12.1' },
      { a: 'freebsd-12.1', b: 'own' },
    ],
  }),
  only('old-peer', 'one node speaks the first version of the protocol', ALL, {
    cores: [
      { a: 'own', b: 'protocol-1' },
      { a: 'protocol-1', b: 'own' },
    ],
  }),
  { ...DEFAULT, name: 'nightly', about: 'longer histories of everything', length: [4, 24], requests: 600 },
];

export const PROFILES: readonly Profile[] = [DEFAULT, ...OTHERS];

export function profileNamed(name: string): Profile | null {
  return PROFILES.find((profile) => profile.name === name) ?? null;
}
