/** Everything that can happen to a pair of nodes, by name. Profiles weigh the names; each act is a few steps of a script. */
import * as disks from './acts-disks.js';
import * as network from './acts-network.js';
import * as processes from './acts-processes.js';
import * as roles from './acts-roles.js';
import * as sessions from './acts-sessions.js';
import type { Draft } from './draft.js';

export type Act = (draft: Draft) => void;

/** Nothing fails in them. */
export const CALM_ACTS = {
  idle: roles.idle,
  swap: roles.swap,
  reload: roles.reload,
} as const;

export const ACTS = {
  ...CALM_ACTS,
  // Processes and power.
  'kill-worker': processes.killWorker,
  'kill-daemon': processes.killDaemon,
  'secondary-crash': processes.secondaryCrash,
  'primary-crash': processes.primaryCrash,
  blackout: processes.blackout,
  'slow-crash': processes.slowCrash,
  'lost-in-flight': processes.lostInFlight,
  pause: processes.pause,
  restart: processes.restart,
  // The network.
  partition: network.partition,
  flap: network.flap,
  'cut-message': network.cutMessage,
  silence: network.silence,
  channels: network.channels,
  reset: network.reset,
  refuse: network.refuse,
  latency: network.latency,
  bandwidth: network.bandwidth,
  spikes: network.spikes,
  batches: network.batches,
  pieces: network.pieces,
  'late-close': network.lateClose,
  move: network.move,
  'cut-off': network.cutOff,
  // Disks.
  'bad-blocks': disks.badBlocks,
  'bad-on-both': disks.badOnBoth,
  'bad-knowledge': disks.badKnowledge,
  'bad-flush': disks.badFlush,
  'bad-then-lost': disks.badThenLost,
  'bad-then-behind': disks.badThenBehind,
  'read-behind-writes': disks.readBehindWrites,
  'no-space': disks.noSpace,
  'poor-disk': disks.poorDisk,
  'slow-disk': disks.slowDisk,
  'stuck-disk': disks.stuckDisk,
  // Disks that nobody survives unharmed.
  'lying-disk': disks.lyingDisk,
  corruption: disks.corruption,
  'damaged-metadata': disks.damagedMetadata,
  misdirection: disks.misdirection,
  'short-disk': disks.shortDisk,
  'old-disk': disks.oldDisk,
  // The operator.
  'hasty-swap': roles.hastySwap,
  'role-storm': roles.roleStorm,
  'reload-then-reconnect': roles.reloadThenReconnect,
  failover: roles.failover,
  'fail-back': roles.failBack,
  'promote-target': roles.promoteTarget,
  'promote-stale': roles.promoteStale,
  split: roles.split,
  'double-primary': roles.doublePrimary,
  'wrong-node': roles.wrongNode,
  'replace-secondary': roles.replaceSecondary,
  // Sessions that have just begun.
  'interrupt-sessions': sessions.interruptSessions,
  'cut-handshakes': sessions.cutHandshakes,
  'trouble-in-handshakes': sessions.troubleInHandshakes,
  'race-sync': sessions.raceSync,
  'race-sync-from-secondary': sessions.raceSyncFromSecondary,
  'behind-at-work': sessions.behindAtWork,
  'writes-at-install': sessions.writesAtInstall,
  'deletes-in-sync': sessions.deletesInSync,
} as const satisfies Readonly<Record<string, Act>>;

export type ActName = keyof typeof ACTS;

export const ACT_NAMES = Object.keys(ACTS) as readonly ActName[];
