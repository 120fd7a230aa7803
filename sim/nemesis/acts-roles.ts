/** Acts of the operator: orderly ones, hasty ones, and mistakes. */
import type { Role } from '../../core/resource/types.js';
import { otherNode } from '../script/script.js';
import { between, logUniform } from './chance.js';
import { boot, crash, someCrash } from './acts-processes.js';
import type { Draft } from './draft.js';

/** From the old primary to the new one, waiting for the old one's end. */
function handOver(draft: Draft): void {
  const old = draft.primary;
  const next = draft.secondary;
  draft.role(old, 'secondary');
  draft.until({ kind: 'worker', node: old, present: false });
  draft.role(next, 'primary');
  draft.untilDevice();
}

export function swap(draft: Draft): void {
  const times = between(draft.random, 1, 3);
  for (let i = 0; i < times; i++) {
    draft.untilInSync();
    draft.loadSome();
    handOver(draft);
    draft.loadFew();
  }
  draft.loadSome();
}

/** The new primary is there before the old one has finished, or before the nodes were in sync (R13, R14). */
export function hastySwap(draft: Draft): void {
  const old = draft.primary;
  const next = draft.secondary;
  draft.loadSome();
  const oldLast = draft.chance(1, 3);
  if (oldLast) draft.role(next, 'primary');
  else draft.role(old, 'secondary');
  if (draft.chance(1, 2)) draft.waitAbout(0.016, 4_000);
  if (oldLast) draft.role(old, 'secondary');
  else draft.role(next, 'primary');
  draft.untilDevice();
  draft.loadSome();
}

/** Commands faster than they can be obeyed. */
export function roleStorm(draft: Draft): void {
  const commands = between(draft.random, 3, 12);
  draft.loadSome();
  const onlyOne = draft.chance(1, 2) ? draft.someNode : null;
  for (let i = 0; i < commands; i++) {
    const role: Role = draft.pick(['primary', 'secondary', 'secondary', 'init']);
    const node = onlyOne ?? draft.someNode;
    draft.take({ kind: 'role', node, role, force: false });
    draft.waitAbout(0.128, 1_000);
    if (draft.chance(1, 4)) draft.loadFew();
  }
  draft.take({ kind: 'role', node: draft.secondary, role: 'secondary', force: false });
  draft.role(draft.primary, 'primary');
  draft.untilDevice();
  draft.loadSome();
}

/** The primary dies, the other one goes on, and the first returns as secondary (R1). */
export function failover(draft: Draft): void {
  if (draft.chance(3, 4)) draft.untilInSync();
  draft.loadSome();
  draft.instant();
  const gone = draft.primary;
  crash(draft, gone, someCrash(draft));
  if (draft.chance(1, 2)) draft.waitAbout(1, 20_000);
  draft.role(otherNode(gone), 'primary');
  draft.untilDevice(2_000);
  draft.loadSome();
  draft.waitAbout(1, 20_000);
  boot(draft, gone);
  draft.role(gone, 'secondary');
  draft.untilDevice();
  draft.loadSome();
}

/** Back to the first node at once: it must copy from the other (R2), and perhaps something interrupts that (R3, R12). */
export function failBack(draft: Draft): void {
  draft.untilInSync();
  const first = draft.primary;
  const second = draft.secondary;
  crash(draft, first, draft.pick(['kill', 'power']));
  draft.role(second, 'primary');
  draft.untilDevice();
  draft.loadSome();
  if (draft.chance(3, 4)) draft.untilIdle();
  else draft.instant();
  draft.role(second, 'secondary');
  draft.until({ kind: 'worker', node: second, present: false });
  boot(draft, first);
  draft.role(first, 'primary');
  draft.loadFew();
  draft.until({ kind: 'event', node: first, event: 'connect' });
  draft.loadSome();
  if (draft.chance(1, 2)) return;
  draft.waitAbout(0.064, 64);
  const victim = draft.someNode;
  crash(draft, victim, draft.pick(['kill', 'power']));
  draft.loadFew();
  draft.waitAbout(1, 20_000);
  boot(draft, victim);
  draft.role(victim, victim === draft.primary ? 'primary' : 'secondary');
  draft.untilDevice();
  draft.loadSome();
}

/** The primary dies while it copies to the other node, which is then promoted (R10, W8). */
export function promoteTarget(draft: Draft): void {
  const source = draft.primary;
  const target = draft.secondary;
  crash(draft, target, draft.pick(['kill', 'power']));
  draft.loadSome();
  draft.waitAbout(1_000, 20_000);
  boot(draft, target);
  draft.role(target, 'secondary');
  draft.until({ kind: 'event', node: source, event: 'syncstart' });
  draft.waitAbout(0.064, 64);
  crash(draft, source, draft.pick(['kill', 'power']));
  draft.waitAbout(1, 2_000);
  draft.role(target, 'primary', draft.chance(1, 3));
  draft.waitAbout(1, 4_000);
  draft.loadFew();
  boot(draft, source);
  draft.role(source, 'secondary');
  draft.untilDevice();
  draft.loadSome();
}

/** Both are primary while they cannot see each other; then one gives way (R4, R5, R6). */
export function split(draft: Draft): void {
  const left = draft.primary;
  const right = draft.secondary;
  if (draft.chance(1, 2)) draft.untilInSync();
  draft.fault({ kind: 'cut', from: null });
  if (draft.chance(1, 2)) draft.loadFew(left);
  if (draft.chance(3, 4)) draft.until({ kind: 'worker', node: right, present: false }, 60_000);
  draft.role(right, 'primary');
  draft.untilDevice(4_000);
  const both = draft.chance(1, 2);
  const rounds = between(draft.random, 1, 3);
  for (let round = 0; round < rounds; round++) {
    if (both || draft.chance(1, 2)) draft.loadFew(left);
    if (both || draft.chance(1, 2)) draft.loadFew(right);
    draft.waitAbout(1, 20_000);
  }
  draft.take({ kind: 'mend', from: null });
  if (draft.chance(1, 2)) draft.waitAbout(1, 30_000);
  giveWay(draft);
}

/** Of two primaries one becomes secondary; what it wrote alone is given up if the nodes say so. */
function giveWay(draft: Draft): void {
  const loser = draft.someNode;
  draft.role(loser, 'secondary');
  draft.role(otherNode(loser), 'primary');
  draft.waitAbout(1, 30_000);
  if (draft.chance(1, 3)) createAnew(draft);
  else draft.take({ kind: 'settle' });
  draft.untilDevice();
  draft.loadSome();
}

function createAnew(draft: Draft): void {
  const node = draft.secondary;
  draft.role(node, 'init');
  draft.until({ kind: 'worker', node, present: false });
  draft.take({ kind: 'create', node });
  draft.role(node, 'secondary');
}

/** The secondary gets a new disk: everything is copied (R20); perhaps something interrupts that. */
export function replaceSecondary(draft: Draft): void {
  draft.loadSome();
  createAnew(draft);
  if (draft.chance(1, 3)) {
    // It takes over the resource id, and its answer is lost.
    const how = draft.pick(['silence', 'reset'] as const);
    draft.fault({ kind: 'cut-after', from: draft.secondary, bytes: draft.random.below(600), how });
    draft.loadFew();
    draft.waitAbout(4_000, 32_000);
    draft.take({ kind: 'mend', from: null });
  }
  draft.loadSome();
  if (draft.chance(1, 2)) {
    draft.until({ kind: 'event', node: draft.primary, event: 'connect' });
    draft.waitAbout(0.064, 128);
    draft.fault(
      draft.chance(1, 2) ? { kind: 'reset' } : { kind: 'kill', node: draft.secondary, what: 'worker' },
    );
    draft.loadSome();
  }
}

/** The operator makes the wrong node primary, while the right one is there and connected (R7, R8). */
export function doublePrimary(draft: Draft): void {
  const right = draft.primary;
  const wrong = draft.secondary;
  draft.loadSome();
  draft.take({ kind: 'role', node: wrong, role: 'primary', force: draft.chance(1, 4) });
  draft.waitAbout(1, 20_000);
  if (draft.chance(1, 2)) draft.loadFew(wrong);
  if (draft.chance(1, 2)) draft.loadFew(right);
  draft.waitAbout(1, draft.chance(1, 2) ? 20_000 : 100_000);
  giveWay(draft);
}

/** The node that missed the last writes is promoted, since the other one is gone (R9). */
export function promoteStale(draft: Draft): void {
  const fresh = draft.primary;
  const stale = draft.secondary;
  crash(draft, stale, draft.pick(['kill', 'power']));
  draft.loadFew();
  draft.waitAbout(1, 20_000);
  crash(draft, fresh, draft.pick(['kill', 'power']));
  boot(draft, stale);
  draft.role(stale, 'primary');
  draft.untilDevice(4_000);
  if (draft.chance(1, 2)) draft.loadFew();
  draft.waitAbout(1, 10_000);
  boot(draft, fresh);
  draft.take({ kind: 'role', node: fresh, role: 'secondary', force: false });
  draft.waitAbout(1_000, 30_000);
  draft.take({ kind: 'settle' });
  draft.untilDevice();
  draft.loadSome();
}

/** A role command to the wrong node, taken back a moment later. */
export function wrongNode(draft: Draft): void {
  const node = draft.someNode;
  const was: Role = node === draft.primary ? 'primary' : 'secondary';
  const wrong = draft.pick(['init', otherRole(was)] as const);
  draft.loadSome();
  draft.take({ kind: 'role', node, role: wrong, force: false });
  draft.waitAbout(0.128, 20_000);
  if (draft.chance(1, 2)) draft.loadFew();
  draft.take({ kind: 'role', node, role: was, force: false });
  draft.untilDevice();
  draft.loadSome();
}

function otherRole(role: 'primary' | 'secondary'): 'primary' | 'secondary' {
  return role === 'primary' ? 'secondary' : 'primary';
}

export function reload(draft: Draft): void {
  const times = between(draft.random, 1, 4);
  for (let i = 0; i < times; i++) {
    const replication = draft.pick(['fullsync', 'memsync', 'async'] as const);
    draft.loadSome();
    draft.take({ kind: 'reload', node: draft.pick([null, null, 'a', 'b'] as const), replication });
    draft.loadFew();
    draft.wait(logUniform(draft.random, 1, 2_000));
  }
  draft.loadSome();
}

/** What was reloaded is still in force over a new connection (W26). */
export function reloadThenReconnect(draft: Draft): void {
  const replication = draft.pick(['fullsync', 'memsync', 'async'] as const);
  draft.take({ kind: 'reload', node: null, replication });
  draft.loadFew();
  draft.fault({ kind: 'reset' });
  draft.waitAbout(16_000, 64_000);
  draft.loadSome();
}

/** Nothing is asked for a while: everything in flight ends, dirty bits are flushed away, keepalives are sent. */
export function idle(draft: Draft): void {
  draft.loadSome();
  draft.waitAbout(1_000, 60_000);
  draft.loadSome();
}
