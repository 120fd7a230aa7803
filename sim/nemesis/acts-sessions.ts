/** Acts that strike in the first moments of a session: handshakes, the merge of the maps, synchronisation. */
import { BLOCK_BYTES, type NodeName } from '../script/script.js';
import { crash, boot } from './acts-processes.js';
import { between, logUniform } from './chance.js';
import type { Draft } from './draft.js';

/** The present session ends, and a new one is about to begin. */
function endSession(draft: Draft): void {
  const { primary, secondary } = draft;
  switch (draft.random.below(3)) {
    case 0:
      draft.fault({ kind: 'reset' });
      break;
    case 1:
      draft.fault({ kind: 'kill', node: secondary, what: 'worker' });
      break;
    default:
      draft.fault({ kind: 'kill', node: primary, what: 'worker' });
      draft.untilDevice();
      break;
  }
}

/** Something goes wrong right now, and is over some time later. */
function strike(draft: Draft): void {
  const node = draft.someNode;
  switch (draft.random.below(6)) {
    case 0:
      draft.fault({ kind: 'reset' });
      break;
    case 1:
      draft.fault({ kind: 'kill', node, what: 'worker' });
      break;
    case 2: {
      const from = draft.pick([null, 'a', 'b'] as const);
      draft.fault({ kind: 'cut', from });
      draft.loadFew();
      draft.waitAbout(1, 32_000);
      draft.take({ kind: 'mend', from });
      break;
    }
    case 3: {
      const ms = logUniform(draft.random, 1, 30_000);
      draft.fault({ kind: 'pause', node, what: draft.pick(['worker', 'daemon', 'all'] as const), ms });
      break;
    }
    default: {
      crash(draft, node, draft.pick(['kill', 'power']));
      if (node !== draft.primary) draft.loadFew();
      draft.waitAbout(1, 16_000);
      boot(draft, node);
      draft.role(node, node === draft.primary ? 'primary' : 'secondary');
      draft.untilDevice();
      break;
    }
  }
}

/** Sessions that are struck as soon as they begin, several times in a row. */
export function interruptSessions(draft: Draft): void {
  const times = between(draft.random, 1, 4);
  for (let i = 0; i < times; i++) {
    draft.loadSome();
    endSession(draft);
    draft.loadFew();
    draft.until({ kind: 'event', node: draft.primary, event: 'connect' });
    if (draft.chance(1, 2)) draft.load(Math.min(4, Math.max(0, draft.budget)));
    draft.waitAbout(0.016, 64);
    strike(draft);
  }
  draft.untilDevice();
  draft.loadSome();
}

/** Handshakes cut after any byte, of either node. */
export function cutHandshakes(draft: Draft): void {
  const times = between(draft.random, 1, 4);
  for (let i = 0; i < times; i++) {
    draft.loadSome();
    draft.fault({ kind: 'reset' });
    const how = draft.pick(['silence', 'reset'] as const);
    draft.fault({ kind: 'cut-after', from: draft.someNode, bytes: draft.random.below(1200), how });
    draft.loadFew();
    draft.waitAbout(1_000, 32_000);
    draft.take({ kind: 'mend', from: null });
    if (draft.chance(1, 2)) draft.loadFew();
  }
  draft.loadSome();
}

/** The disk refuses what a handshake wants to store or read, or a worker dies at such a moment. */
export function troubleInHandshakes(draft: Draft): void {
  const times = between(draft.random, 1, 3);
  for (let i = 0; i < times; i++) {
    const node = draft.someNode;
    draft.loadSome();
    if (draft.chance(2, 3)) {
      const operation = draft.pick(['write', 'flush', 'read'] as const);
      const place = {
        kind: operation === 'flush' ? 'all' : draft.pick(['metadata', 'map'] as const),
      } as const;
      draft.fault({ kind: 'fail', node, operation, code: 'EIO', times: draft.pick([1, 1, 2, 3]), place });
    } else {
      const delayMs = logUniform(draft.random, 1, 64);
      draft.fault({ kind: 'slow', node, operation: draft.pick(['write', 'flush'] as const), delayMs });
    }
    endSession(draft);
    draft.loadFew();
    draft.until({ kind: 'event', node: draft.primary, event: 'connect' }, 12_000);
    if (draft.chance(1, 2)) {
      draft.waitAbout(0.016, 64);
      strike(draft);
    }
    draft.take({ kind: 'repair', node: null });
    draft.reassert();
    draft.untilDevice();
  }
  draft.loadSome();
}

/** Much is to be copied, and the application writes the very extents that are being copied (W11, I22). */
export function raceSync(draft: Draft): void {
  const { secondary } = draft;
  draft.loadSome();
  crash(draft, secondary, draft.pick(['kill', 'power', 'stop']));
  draft.loadSome();
  draft.waitAbout(1, 8_000);
  if (draft.chance(1, 3)) refuseSomething(draft);
  boot(draft, secondary);
  draft.role(secondary, 'secondary');
  draft.until({ kind: 'event', node: draft.primary, event: 'syncstart' });
  draft.loadSome();
  if (draft.chance(1, 2)) strike(draft);
  draft.untilDevice();
  draft.loadSome();
  draft.take({ kind: 'repair', node: null });
}

/** What is copied cannot be read here, or the application's writes fail beside it. */
function refuseSomething(draft: Draft): void {
  const { primary, setup, hotSpot } = draft;
  const count = setup.extentBytes / BLOCK_BYTES;
  const place = { kind: 'blocks', block: hotSpot - (hotSpot % count), count } as const;
  const operation = draft.pick(['read', 'write'] as const);
  draft.fault({ kind: 'fail', node: primary, operation, code: 'EIO', times: null, place });
}

function cannotDelete(draft: Draft, node: NodeName): void {
  const whole = { code: 'EOPNOTSUPP', times: null, place: { kind: 'all' } } as const;
  draft.fault({ kind: 'fail', node, operation: 'delete', ...whole });
}

/** The secondary is back, and the primary's writes take their time when it connects. */
function returnToSlowWrites(draft: Draft): void {
  const { primary, secondary } = draft;
  boot(draft, secondary);
  const delayMs = logUniform(draft.random, 16, 512);
  draft.fault({ kind: 'slow', node: primary, operation: 'write', delayMs });
  draft.role(secondary, 'secondary');
  draft.until({ kind: 'log', node: secondary, text: 'Connection from' });
}

/** Writes are under way here, and cannot end yet, when the session begins in which their extents are copied. */
export function writesAtInstall(draft: Draft): void {
  const { primary, secondary } = draft;
  crash(draft, secondary, 'kill');
  draft.loadSome();
  if (draft.chance(1, 2)) cannotDelete(draft, secondary);
  returnToSlowWrites(draft);
  draft.load(Math.min(8, Math.max(0, draft.budget)));
  draft.until({ kind: 'event', node: primary, event: 'syncstart' });
  draft.loadSome();
  draft.waitAbout(16, 8_000);
  draft.take({ kind: 'repair', node: null });
  draft.loadSome();
}

/**
 * What has just been copied to a disk that cannot delete is deleted, while a write keeps the rest of its extent waiting: it must be
 * copied again (D8, W21).
 */
export function deletesInSync(draft: Draft): void {
  const { primary, secondary, setup } = draft;
  const count = setup.extentBytes / BLOCK_BYTES;
  crash(draft, secondary, 'kill');
  draft.loadSome();
  cannotDelete(draft, secondary);
  returnToSlowWrites(draft);
  const extents = Array.from({ length: between(draft.random, 1, 4) }, () =>
    draft.random.below(setup.extents),
  );
  for (const extent of extents)
    draft.ask({ kind: 'write', block: (extent + 1) * count - 1, count: 1, label: null });
  draft.until({ kind: 'event', node: primary, event: 'syncstart' });
  draft.waitAbout(1, 32);
  for (const extent of extents) draft.ask({ kind: 'delete', block: extent * count, count: 1 });
  draft.waitAbout(16, 8_000);
  draft.take({ kind: 'repair', node: null });
  draft.loadSome();
}

/** The same from the other side: the primary is the one that lacks data, and its source goes (R12, W9). */
export function raceSyncFromSecondary(draft: Draft): void {
  const behind = draft.primary;
  const ahead = draft.secondary;
  draft.untilInSync();
  crash(draft, behind, draft.pick(['kill', 'power']));
  draft.role(ahead, 'primary');
  draft.untilDevice();
  draft.loadSome();
  draft.untilIdle();
  draft.role(ahead, 'secondary');
  draft.until({ kind: 'worker', node: ahead, present: false });
  boot(draft, behind);
  draft.role(behind, 'primary');
  draft.until({ kind: 'event', node: behind, event: 'syncstart' });
  draft.loadFew();
  if (draft.chance(3, 4)) {
    draft.waitAbout(0.016, 64);
    strike(draft);
  }
  draft.untilDevice();
  draft.loadSome();
}

/**
 * The secondary was primary for a while, and the primary, cut off, had nothing to do: it learns that it is out of date while it is at
 * work, or begins to work in that very moment (W27, W28, I14).
 */
export function behindAtWork(draft: Draft): void {
  const stayed = draft.primary;
  const other = draft.secondary;
  draft.untilInSync();
  draft.fault({ kind: 'cut', from: null });
  draft.until({ kind: 'worker', node: other, present: false }, 60_000);
  draft.role(other, 'primary');
  draft.until({ kind: 'device', node: other, present: true });
  draft.loadFew(other);
  draft.until({ kind: 'idle' });
  draft.role(other, 'secondary');
  draft.until({ kind: 'worker', node: other, present: false });
  draft.take({ kind: 'mend', from: null });
  draft.role(stayed, 'primary');
  if (draft.chance(1, 2)) draft.until({ kind: 'log', node: other, text: 'Connection from' });
  else draft.until({ kind: 'event', node: stayed, event: 'connect' });
  draft.loadFew(stayed);
  draft.loadSome();
}
