/** Acts in which processes and machines go and come back. */
import { otherNode, type NodeName } from '../script/script.js';
import { between, logUniform } from './chance.js';
import type { Draft } from './draft.js';

export type Crash = 'kill' | 'power' | 'stop';

/** All of a node ends. */
export function crash(draft: Draft, node: NodeName, how: Crash): void {
  switch (how) {
    case 'kill':
      draft.fault({ kind: 'kill', node, what: 'all' });
      break;
    case 'power':
      draft.fault({ kind: 'power', node, on: false });
      break;
    case 'stop':
      draft.take({ kind: 'stop', node });
      break;
  }
}

/** The machine runs, and so does its main daemon; every role is init. */
export function boot(draft: Draft, node: NodeName): void {
  draft.take({ kind: 'power', node, on: true });
  draft.take({ kind: 'start', node });
}

export function someCrash(draft: Draft): Crash {
  return draft.pick(['kill', 'kill', 'power', 'power', 'stop']);
}

/** After the primary is gone: it returns in its role, or the other node takes over and it returns as secondary. */
function recover(draft: Draft): void {
  const gone = draft.primary;
  if (draft.chance(1, 2)) {
    draft.waitAbout(1, 30_000);
    boot(draft, gone);
    draft.role(gone, 'primary');
    draft.untilDevice();
    return;
  }
  draft.waitAbout(1, 30_000);
  draft.role(otherNode(gone), 'primary');
  // An incomplete copy is not offered before its source returns.
  draft.untilDevice(2_000);
  if (draft.chance(3, 4)) draft.loadSome();
  draft.waitAbout(1, 30_000);
  boot(draft, gone);
  draft.role(gone, 'secondary');
  draft.untilDevice();
}

export function killWorker(draft: Draft): void {
  draft.loadSome();
  draft.instant();
  draft.fault({ kind: 'kill', node: draft.someNode, what: 'worker' });
  draft.loadFew();
  draft.untilDevice();
  draft.loadSome();
}

export function killDaemon(draft: Draft): void {
  const node = draft.someNode;
  draft.loadSome();
  draft.instant();
  draft.fault({ kind: 'kill', node, what: 'daemon' });
  draft.loadFew();
  draft.waitAbout(1, 20_000);
  draft.take({ kind: 'start', node });
  draft.reassert();
  draft.untilDevice();
  draft.loadSome();
}

/** The secondary goes and returns; the primary works alone meanwhile. */
export function secondaryCrash(draft: Draft): void {
  const node = draft.secondary;
  draft.loadSome();
  draft.instant();
  crash(draft, node, someCrash(draft));
  draft.loadSome();
  draft.waitAbout(1, 60_000);
  draft.loadFew();
  boot(draft, node);
  draft.role(node, 'secondary');
  draft.loadSome();
}

export function primaryCrash(draft: Draft): void {
  if (draft.chance(1, 2)) draft.untilInSync();
  draft.loadSome();
  draft.instant();
  crash(draft, draft.primary, someCrash(draft));
  recover(draft);
  draft.loadSome();
}

/** Both nodes go at once, and come back with the same roles or with exchanged ones (R17, R18). */
export function blackout(draft: Draft): void {
  const how = draft.pick(['kill', 'power'] as const);
  const exchange = draft.chance(1, 3);
  if (exchange) draft.untilInSync();
  draft.loadSome();
  draft.instant();
  const first = draft.someNode;
  crash(draft, first, how);
  if (draft.chance(1, 2)) draft.waitAbout(0.016, 4_000);
  crash(draft, otherNode(first), how);
  draft.waitAbout(1, 8_000);
  if (exchange) draft.primary = draft.secondary;
  for (const node of draft.chance(1, 2) ? (['a', 'b'] as const) : (['b', 'a'] as const)) {
    boot(draft, node);
    draft.role(node, node === draft.primary ? 'primary' : 'secondary');
    if (draft.chance(1, 2)) draft.waitAbout(1, 20_000);
  }
  draft.untilDevice();
  draft.loadSome();
}

/** Writes or flushes take long, and the node dies in the midst of them. */
export function slowCrash(draft: Draft): void {
  const node = draft.someNode;
  const delayMs = logUniform(draft.random, 4, 256);
  draft.fault({ kind: 'slow', node, operation: draft.pick(['write', 'flush'] as const), delayMs });
  draft.load(Math.min(draft.budget, between(draft.random, 8, 32)));
  draft.wait(draft.random.below(2_000 * delayMs) / 1000);
  crash(draft, node, draft.pick(['kill', 'power'] as const));
  draft.take({ kind: 'repair', node });
  if (node === draft.primary) recover(draft);
  else {
    draft.loadFew();
    boot(draft, node);
    draft.role(node, 'secondary');
  }
  draft.loadSome();
}

/**
 * While the primary's disk is still at it, the secondary has executed a write, dies, and loses what it had not flushed: the write is
 * under way when the session ends.
 */
export function lostInFlight(draft: Draft): void {
  const { primary, secondary } = draft;
  draft.untilInSync();
  draft.fault({
    kind: 'slow',
    node: primary,
    operation: 'write',
    delayMs: logUniform(draft.random, 16, 256),
  });
  draft.load(Math.min(draft.budget, between(draft.random, 4, 16)));
  draft.waitAbout(1, 128);
  crash(draft, secondary, 'kill');
  draft.waitAbout(0.016, 256);
  draft.fault({ kind: 'power', node: secondary, on: false });
  draft.take({ kind: 'repair', node: primary });
  draft.waitAbout(1, 4_000);
  draft.take({ kind: 'power', node: secondary, on: true });
  boot(draft, secondary);
  draft.role(secondary, 'secondary');
  draft.loadSome();
}

export function pause(draft: Draft): void {
  const what = draft.pick(['worker', 'daemon', 'all'] as const);
  // An hour now and then; what happens in it costs events.
  const ms = logUniform(draft.random, 1, draft.chance(1, 16) ? 3_600_000 : 60_000);
  draft.loadSome();
  draft.instant();
  draft.fault({ kind: 'pause', node: draft.someNode, what, ms });
  draft.loadFew();
  draft.wait(ms);
  draft.untilDevice();
  draft.loadSome();
}

/** Orderly end of both daemons at nearly the same time, and a new start. */
export function restart(draft: Draft): void {
  draft.loadSome();
  draft.take({ kind: 'stop', node: draft.primary });
  if (draft.chance(1, 2)) draft.waitAbout(1, 4_000);
  if (draft.chance(1, 2)) draft.take({ kind: 'stop', node: draft.secondary });
  draft.waitAbout(1, 8_000);
  for (const node of ['a', 'b'] as const) draft.take({ kind: 'start', node });
  draft.reassert();
  draft.untilDevice();
  draft.loadSome();
}
