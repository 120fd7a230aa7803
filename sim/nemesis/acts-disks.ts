/** Acts of the disks: what they refuse, delay, forget and invent. */
import { BLOCK_BYTES, type DiskOperation, type DiskPlace, type NodeName } from '../script/script.js';
import { boot, crash } from './acts-processes.js';
import { between, logUniform, pickWeighted } from './chance.js';
import type { Draft } from './draft.js';

/** What a block of metadata has to say; the rest of it is zeros. */
const METADATA_LIST_BYTES = 400;

function blocksOf(draft: Draft): number {
  return (draft.setup.extents * draft.setup.extentBytes) / BLOCK_BYTES;
}

/** A few blocks, in a place that is used much or anywhere, or a whole extent, or all. */
function someBlocks(draft: Draft): DiskPlace {
  const all = blocksOf(draft);
  const extent = draft.setup.extentBytes / BLOCK_BYTES;
  switch (draft.random.below(6)) {
    case 0:
      return { kind: 'blocks', block: extent * draft.random.below(draft.setup.extents), count: extent };
    case 1:
      return { kind: 'blocks', block: 0, count: all };
    default: {
      const count = between(draft.random, 1, 8);
      const last = all - count;
      const block = draft.chance(1, 2) ? draft.hotSpot + draft.random.below(8) : draft.random.below(all);
      return { kind: 'blocks', block: Math.min(block, last), count };
    }
  }
}

interface Trouble {
  readonly operation: DiskOperation;
  readonly place: DiskPlace;
  readonly code?: 'EIO' | 'ENOSPC';
}

/** The disk says no for a while, under load; then it is repaired. */
function trouble(draft: Draft, node: NodeName, { operation, place, code = 'EIO' }: Trouble): void {
  const times = draft.pick([1, 1, between(draft.random, 2, 6), null]);
  draft.fault({ kind: 'fail', node, operation, code, times, place });
}

function endTrouble(draft: Draft): void {
  draft.waitAbout(1, 16_000);
  draft.loadFew();
  draft.take({ kind: 'repair', node: null });
  // A primary that could not store what it knew has fallen back to init.
  draft.reassert();
  draft.untilDevice();
  draft.loadSome();
}

export function badBlocks(draft: Draft): void {
  draft.loadSome();
  const operation = draft.pick(['read', 'read', 'write', 'write', 'delete'] as const);
  trouble(draft, draft.someNode, { operation, place: someBlocks(draft) });
  if (draft.chance(1, 3)) trouble(draft, draft.someNode, { operation, place: someBlocks(draft) });
  draft.loadSome();
  endTrouble(draft);
}

/** The same block on both nodes (D15, W32). */
export function badOnBoth(draft: Draft): void {
  const operation = draft.pick(['read', 'write'] as const);
  const place = someBlocks(draft);
  draft.loadSome();
  for (const node of ['a', 'b'] as const) {
    trouble(draft, node, { operation, place });
    if (draft.chance(1, 2)) draft.loadFew();
  }
  draft.loadSome();
  endTrouble(draft);
}

/** In front of the user data: what the nodes know of themselves. */
export function badKnowledge(draft: Draft): void {
  const place: DiskPlace = { kind: draft.pick(['metadata', 'map', 'map'] as const) };
  const node = draft.someNode;
  draft.loadSome();
  trouble(draft, node, { operation: draft.pick(['write', 'write', 'read'] as const), place });
  // What is known is stored when sessions begin and end.
  if (draft.chance(2, 3)) draft.fault({ kind: 'reset' });
  draft.loadSome();
  endTrouble(draft);
}

export function badFlush(draft: Draft): void {
  draft.loadSome();
  trouble(draft, draft.someNode, { operation: 'flush', place: { kind: 'all' } });
  draft.loadSome();
  if (draft.chance(1, 2)) draft.fault({ kind: 'reset' });
  draft.loadSome();
  if (draft.chance(1, 3)) powerCycle(draft, draft.secondary);
  endTrouble(draft);
}

/** Everything that was not flushed may be gone; the node comes back as what it was. */
function powerCycle(draft: Draft, node: NodeName): void {
  draft.fault({ kind: 'power', node, on: false });
  draft.waitAbout(1, 8_000);
  draft.take({ kind: 'power', node, on: true });
  draft.take({ kind: 'start', node });
  draft.role(node, node === draft.primary ? 'primary' : 'secondary');
}

export function noSpace(draft: Draft): void {
  draft.loadSome();
  const place = draft.chance(1, 2) ? someBlocks(draft) : { kind: 'all' as const };
  trouble(draft, draft.someNode, { operation: 'write', place, code: 'ENOSPC' });
  draft.loadSome();
  endTrouble(draft);
}

/** A disk that cannot delete, or cannot flush its cache, as regular files on FreeBSD (D8). */
export function poorDisk(draft: Draft): void {
  const operation = draft.pick(['delete', 'flush'] as const);
  draft.fault({
    kind: 'fail',
    node: draft.someNode,
    operation,
    code: 'EOPNOTSUPP',
    times: null,
    place: { kind: 'all' },
  });
  draft.loadSome();
  if (draft.chance(1, 2)) draft.fault({ kind: 'reset' });
  draft.loadSome();
  draft.waitAbout(1, 16_000);
  draft.take({ kind: 'repair', node: null });
}

export function slowDisk(draft: Draft): void {
  const delayMs = logUniform(draft.random, 1, draft.chance(1, 4) ? 32_000 : 128);
  const node = draft.someNode;
  draft.loadSome();
  draft.fault({ kind: 'slow', node, operation: someOperation(draft), delayMs });
  draft.loadSome();
  draft.waitAbout(1, 8_000);
  draft.take({ kind: 'repair', node });
  draft.loadSome();
}

function someOperation(draft: Draft): DiskOperation {
  return pickWeighted(draft.random, [
    ['read', 2],
    ['write', 4],
    ['delete', 1],
    ['flush', 3],
  ]);
}

export function stuckDisk(draft: Draft): void {
  const node = draft.someNode;
  draft.loadSome();
  draft.fault({ kind: 'stick', node });
  draft.loadFew();
  draft.waitAbout(1, 32_000);
  draft.take({ kind: 'repair', node });
  draft.reassert();
  draft.untilDevice();
  draft.loadSome();
}

/** A local write that failed lives on the peer alone; then something happens to the session (W18). */
export function badThenLost(draft: Draft): void {
  const { secondary } = draft;
  draft.untilInSync();
  const delayMs = logUniform(draft.random, 16, 512);
  if (draft.chance(1, 2)) draft.fault({ kind: 'slow', node: secondary, operation: 'flush', delayMs });
  trouble(draft, draft.primary, {
    operation: 'write',
    place: { kind: 'blocks', block: 0, count: blocksOf(draft) },
  });
  draft.loadFew();
  draft.instant();
  if (draft.chance(1, 2)) draft.fault({ kind: 'reset' });
  else powerCycle(draft, draft.someNode);
  draft.loadSome();
  endTrouble(draft);
}

/**
 * Some bytes are good on the secondary only; that one goes, the primary works on alone, and then they change roles: each has
 * what the other one needs (W18, R2).
 */
export function badThenBehind(draft: Draft): void {
  const worn = draft.primary;
  const spared = draft.secondary;
  draft.untilInSync();
  trouble(draft, worn, { operation: 'write', place: someBlocks(draft) });
  draft.loadFew();
  draft.waitAbout(1, 200);
  crash(draft, spared, 'kill');
  draft.loadFew();
  draft.waitAbout(1, 4_000);
  crash(draft, worn, draft.pick(['kill', 'power'] as const));
  for (const node of [worn, spared]) boot(draft, node);
  draft.role(worn, 'secondary');
  draft.role(spared, 'primary');
  draft.loadFew();
  endTrouble(draft);
}

/** The secondary is slow, and what it has not written yet cannot be read on the primary (W18, W40). */
export function readBehindWrites(draft: Draft): void {
  const delayMs = logUniform(draft.random, 32, 1_000);
  const place = { kind: 'blocks', block: 0, count: blocksOf(draft) } as const;
  draft.fault({ kind: 'slow', node: draft.secondary, operation: 'write', delayMs });
  draft.load(Math.min(8, Math.max(0, draft.budget)));
  draft.instant();
  draft.fault({ kind: 'fail', node: draft.primary, operation: 'read', code: 'EIO', times: null, place });
  draft.load(Math.min(12, Math.max(0, draft.budget)));
  endTrouble(draft);
}

// What no replication can be asked to survive: the judges excuse the data of these runs.

export function lyingDisk(draft: Draft): void {
  const node = draft.someNode;
  draft.fault({ kind: 'lie', node });
  draft.loadSome();
  draft.instant();
  powerCycle(draft, node);
  draft.untilDevice();
  draft.loadSome();
  draft.take({ kind: 'repair', node });
}

export function corruption(draft: Draft): void {
  const node = draft.someNode;
  const block = draft.random.below(blocksOf(draft));
  const bit = draft.chance(1, 2) ? draft.random.below(8 * BLOCK_BYTES) : null;
  draft.loadSome();
  draft.fault({ kind: 'corrupt', node, block, bit });
  draft.loadSome();
}

/** The secondary's disk changes a bit of its metadata while it is down. The node is of no use until it is created anew (W33). */
export function damagedMetadata(draft: Draft): void {
  const node = draft.secondary;
  draft.untilInSync();
  crash(draft, node, 'kill');
  draft.loadFew();
  draft.fault({ kind: 'damage', node, place: 'metadata', bit: draft.random.below(8 * METADATA_LIST_BYTES) });
  boot(draft, node);
  draft.role(node, 'secondary');
  draft.loadFew();
  draft.waitAbout(1_000, 30_000);
  draft.role(node, 'init');
  draft.until({ kind: 'worker', node, present: false });
  draft.take({ kind: 'create', node });
  draft.role(node, 'secondary');
  draft.loadSome();
}

export function misdirection(draft: Draft): void {
  const blocks = blocksOf(draft);
  const block = draft.random.below(blocks);
  draft.loadSome();
  draft.fault({ kind: 'misdirect', node: draft.someNode, block, to: draft.random.below(blocks) });
  draft.loadSome();
  draft.take({ kind: 'repair', node: null });
}

export function shortDisk(draft: Draft): void {
  const node = draft.someNode;
  draft.loadSome();
  draft.fault({ kind: 'shorten', node, blocks: between(draft.random, 1, 8) });
  if (draft.chance(1, 2)) draft.take({ kind: 'kill', node, what: 'worker' });
  draft.loadFew();
  endTrouble(draft);
}

/** A backup is played back: the copy is older than its counters' peer believes (R23, R24). */
export function oldDisk(draft: Draft): void {
  const node = draft.someNode;
  draft.take({ kind: 'snapshot', node });
  draft.loadSome();
  draft.waitAbout(1, 20_000);
  draft.fault({ kind: 'power', node, on: false });
  draft.loadFew();
  draft.fault({ kind: 'restore', node });
  draft.take({ kind: 'power', node, on: true });
  draft.take({ kind: 'start', node });
  draft.reassert();
  draft.untilDevice();
  draft.loadSome();
}
