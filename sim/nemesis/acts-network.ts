/** Acts of the network between the nodes. */
import { otherNode, type NodeName, type Way } from '../script/script.js';
import { between, logUniform } from './chance.js';
import type { Draft } from './draft.js';

/** What a link is like when nothing is wrong with it. */
const USUAL = { minMs: 0.05, maxMs: 1, bytesPerMs: 125_000 };

function someWay(draft: Draft): Way {
  return draft.pick([null, 'a', 'b'] as const);
}

export function partition(draft: Draft): void {
  const way = someWay(draft);
  draft.loadSome();
  draft.instant();
  draft.fault({ kind: 'cut', from: way });
  draft.loadSome();
  draft.waitAbout(1, 64_000);
  draft.loadFew();
  draft.take({ kind: 'mend', from: way });
  draft.loadSome();
}

/** Cut and mended again just before or after a timer of the protocol fires. */
export function flap(draft: Draft): void {
  const rounds = between(draft.random, 2, 5);
  for (let round = 0; round < rounds; round++) {
    const timerMs = draft.pick([10_000, 20_000, draft.setup.timeout * 1000]);
    const way = someWay(draft);
    draft.fault({ kind: 'cut', from: way });
    if (draft.chance(1, 2)) draft.loadFew();
    draft.wait(timerMs + draft.pick([-1, 1]) * logUniform(draft.random, 0.064, 64));
    draft.take({ kind: 'mend', from: way });
    if (draft.chance(1, 2)) draft.loadFew();
    draft.wait(draft.chance(1, 2) ? logUniform(draft.random, 1, 4_000) : 10_000 - draft.random.below(100));
  }
  draft.loadSome();
}

/** After so many more bytes: in the middle of a message, or between two. */
export function cutMessage(draft: Draft): void {
  draft.loadSome();
  const bytes = draft.chance(1, 2)
    ? draft.random.below(512)
    : Math.floor(logUniform(draft.random, 64, 32_768));
  const how = draft.pick(['silence', 'reset'] as const);
  draft.fault({ kind: 'cut-after', from: draft.someNode, bytes, how });
  draft.loadSome();
  if (draft.chance(1, 2)) draft.waitAbout(1, 32_000);
  else draft.wait(draft.setup.timeout * 1000 + draft.random.below(20_000));
  draft.take({ kind: 'mend', from: null });
  draft.loadSome();
}

/** Nothing is outstanding, and the peer is gone without a word: only who asks for a sign of life can tell (W30). */
export function silence(draft: Draft): void {
  const way = someWay(draft);
  draft.loadFew();
  draft.untilInSync();
  draft.fault({ kind: 'cut', from: way });
  draft.wait(draft.setup.timeout * 1000 + between(draft.random, 0, 40_000));
  draft.take({ kind: 'mend', from: way });
  draft.loadSome();
}

/** Some of the four one-way channels of a session; healed in another order. */
export function channels(draft: Draft): void {
  const all: readonly (readonly [NodeName, number])[] = [
    ['a', 0],
    ['a', 1],
    ['b', 0],
    ['b', 1],
  ];
  const cut = shuffled(draft, all).slice(0, between(draft.random, 1, 3));
  draft.loadSome();
  for (const [from, channel] of cut) {
    draft.fault({ kind: 'cut-channel', from, channel });
    if (draft.chance(1, 2)) draft.loadFew();
  }
  draft.waitAbout(1, 32_000);
  for (const [from, channel] of shuffled(draft, cut)) {
    draft.take({ kind: 'mend-channel', from, channel });
    if (draft.chance(1, 2)) draft.waitAbout(1, 16_000);
  }
  draft.loadSome();
}

function shuffled<T>(draft: Draft, items: readonly T[]): T[] {
  const left = [...items];
  const drawn: T[] = [];
  while (left.length > 0) drawn.push(...left.splice(draft.random.below(left.length), 1));
  return drawn;
}

export function reset(draft: Draft): void {
  const times = between(draft.random, 1, 3);
  for (let i = 0; i < times; i++) {
    draft.loadSome();
    draft.instant();
    draft.fault({ kind: 'reset' });
    draft.loadFew();
    draft.waitAbout(1, 16_000);
  }
  draft.loadSome();
}

/** The peer's machine is there, and nobody listens. */
export function refuse(draft: Draft): void {
  const node = draft.secondary;
  draft.loadSome();
  draft.fault({ kind: 'refuse', node, on: true });
  draft.take({ kind: 'reset' });
  draft.loadSome();
  draft.waitAbout(1, 40_000);
  draft.take({ kind: 'refuse', node, on: false });
  draft.loadSome();
}

export function latency(draft: Draft): void {
  const from = someWay(draft);
  const maxMs = logUniform(draft.random, 2, draft.chance(1, 4) ? 16_000 : 64);
  const minMs = draft.chance(1, 2) ? maxMs : maxMs / 8;
  draft.fault({ kind: 'latency', from, minMs, maxMs });
  draft.loadSome();
  draft.waitAbout(1, 32_000);
  draft.take({ kind: 'latency', from, minMs: USUAL.minMs, maxMs: USUAL.maxMs });
  draft.loadSome();
}

export function bandwidth(draft: Draft): void {
  const from = someWay(draft);
  draft.fault({ kind: 'bandwidth', from, bytesPerMs: Math.floor(logUniform(draft.random, 1, 1024)) });
  draft.loadSome();
  // What is on its way for so long may never arrive.
  if (draft.chance(1, 2)) {
    draft.instant();
    draft.fault({ kind: 'reset' });
  }
  draft.waitAbout(1, 32_000);
  draft.take({ kind: 'bandwidth', from, bytesPerMs: USUAL.bytesPerMs });
  draft.loadSome();
}

/** Some packets are late, and with them all that come behind. */
export function spikes(draft: Draft): void {
  const from = someWay(draft);
  draft.fault({ kind: 'spikes', from, ms: logUniform(draft.random, 4, draft.chance(1, 4) ? 16_000 : 256) });
  draft.loadSome();
  draft.waitAbout(1, 32_000);
  draft.take({ kind: 'spikes', from, ms: 0 });
  draft.loadSome();
}

/** Many messages are read as one. */
export function batches(draft: Draft): void {
  const from = someWay(draft);
  draft.fault({ kind: 'batch', from, ms: logUniform(draft.random, 1, 256) });
  draft.loadSome();
  draft.take({ kind: 'batch', from, ms: 0 });
  draft.loadSome();
}

/** No message is read as one. */
export function pieces(draft: Draft): void {
  const from = someWay(draft);
  draft.fault({ kind: 'fragment', from, on: true });
  draft.loadSome();
  draft.take({ kind: 'fragment', from, on: false });
  draft.loadSome();
}

/** The end of a connection is heard of late; meanwhile the next one may begin. */
export function lateClose(draft: Draft): void {
  const from = draft.someNode;
  draft.fault({ kind: 'delay-close', from, ms: logUniform(draft.random, 1, 16_000) });
  draft.loadSome();
  draft.take({ kind: 'kill', node: from, what: 'worker' });
  draft.loadFew();
  draft.untilDevice();
  draft.loadSome();
  draft.take({ kind: 'delay-close', from, ms: 0 });
}

/** The node gets another address; both configurations follow. */
export function move(draft: Draft): void {
  draft.loadSome();
  draft.fault({ kind: 'move', node: draft.someNode });
  draft.loadFew();
  draft.untilDevice();
  draft.loadSome();
}

/** The secondary answers late, or not at all, and is the one to be promoted: nothing acknowledged may be missing there. */
export function cutOff(draft: Draft): void {
  const next = draft.secondary;
  draft.loadSome();
  draft.fault({ kind: 'cut', from: next });
  draft.loadFew();
  draft.waitAbout(1, 4_000);
  draft.take({ kind: 'mend', from: next });
  draft.take({ kind: 'role', node: otherNode(next), role: 'secondary', force: false });
  draft.until({ kind: 'worker', node: otherNode(next), present: false });
  draft.role(next, 'primary');
  draft.untilDevice();
  draft.loadSome();
}
