/** Scripts of every kind of step, in any order: what the text form must carry. */
import fc from 'fast-check';
import type {
  Action,
  Condition,
  CoreName,
  DiskPlace,
  Expectation,
  NodeName,
  Request,
  Script,
  Setup,
  Step,
  When,
} from '../../sim/script/script.js';

const node = fc.constantFrom<NodeName>('a', 'b');
const anyNode = fc.option(node, { nil: null });
const role = fc.constantFrom('init' as const, 'primary' as const, 'secondary' as const);
const mode = fc.constantFrom('fullsync' as const, 'memsync' as const, 'async' as const);
const operation = fc.constantFrom('read' as const, 'write' as const, 'delete' as const, 'flush' as const);
const event = fc.constantFrom('role', 'connect', 'disconnect', 'syncdone', 'split-brain', 'dual-primary');
const present = fc.boolean();
const domain = fc.constantFrom('worker' as const, 'daemon' as const, 'all' as const);

/** Round ones, microseconds, and any at all. */
const durationMs = fc.oneof(
  fc.nat({ max: 10_000_000 }),
  fc.nat({ max: 10_000_000 }).map((us) => us / 1000),
  fc.double({ min: 0, max: 1e12, noNaN: true }),
);

/** Of the smallest device that `setup` makes. */
const BLOCKS = 16;
const block = fc.nat({ max: BLOCKS - 1 });
const range = block.chain((first) =>
  fc.record({ block: fc.constant(first), count: fc.integer({ min: 1, max: BLOCKS - first }) }),
);
const label = fc
  .stringMatching(/^[A-Za-z0-9_.-]{1,8}$/)
  .filter((word) => word !== 'zero' && word !== 'error');

const both = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<{ a: T; b: T }> => fc.record({ a: one, b: one });

const setup: fc.Arbitrary<Setup> = fc.record({
  seed: fc.nat({ max: 0xffff_ffff }),
  replication: mode,
  checksum: fc.constantFrom('none' as const, 'crc32' as const, 'sha256' as const),
  compression: fc.constantFrom('none' as const, 'hole' as const, 'lzf' as const),
  timeout: fc.integer({ min: 1, max: 100 }),
  extents: fc.integer({ min: 1, max: 32 }),
  extentBytes: fc.constantFrom(8192, 16_384, 1 << 21),
  keepdirty: both(fc.integer({ min: 1, max: 64 })),
  maxRequestBytes: fc.constantFrom(512, 4096, 131_072),
  ties: fc.constantFrom('sequence' as const, 'random' as const, 'priority' as const),
  cores: both(fc.constantFrom<CoreName>('own', 'freebsd-12.1', 'protocol-1')),
  takeover: fc.boolean(),
  cached: fc.boolean(),
  syncBytesPerS: fc.constantFrom(0, 65_536, 262_144),
});

function of<K extends string, T>(
  kind: K,
  rest: { [P in keyof T]: fc.Arbitrary<T[P]> },
): fc.Arbitrary<{ kind: K } & T> {
  return fc.record(rest).map((fields) => ({ kind, ...(fields as T) }));
}

const request: fc.Arbitrary<Request> = fc.oneof(
  fc
    .tuple(range, fc.option(label, { nil: null }))
    .map(([at, name]) => ({ kind: 'write' as const, ...at, label: name })),
  range.map((at) => ({ kind: 'read' as const, ...at })),
  range.map((at) => ({ kind: 'delete' as const, ...at })),
  fc.constant({ kind: 'flush' as const }),
);

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom<Condition>({ kind: 'in-sync' }, { kind: 'idle' }),
  of('device', { node: anyNode, present }),
  of('role', { node, role }),
  of('worker', { node, present }),
  of('connected', { present }),
  of('event', { node, event }),
  of('log', { node, text: fc.string({ unit: 'binary' }) }),
  of('incomplete', { node, present }),
  of('counts', { node, local: fc.nat(), remote: fc.nat() }),
);

const expectation: fc.Arbitrary<Expectation> = fc.oneof(
  condition,
  of('block', { node: anyNode, block, label }),
  of('read', { block, label: fc.oneof(label, fc.constantFrom('zero', 'error')) }),
  fc.constant({ kind: 'equal' as const }),
  of('answer', { ok: fc.boolean() }),
  of('count', { node, event, times: fc.nat({ max: 5 }) }),
);

const place: fc.Arbitrary<DiskPlace> = fc.oneof(
  fc.constantFrom<DiskPlace>({ kind: 'all' }, { kind: 'metadata' }, { kind: 'map' }),
  range.map((at) => ({ kind: 'blocks' as const, ...at })),
);

const times = fc.option(fc.integer({ min: 1, max: 9 }), { nil: null });
const latency = fc.tuple(anyNode, durationMs, durationMs).map(([from, x, y]) => ({
  ...{ kind: 'latency' as const, from },
  ...{ minMs: Math.min(x, y), maxMs: Math.max(x, y) },
}));

const action: fc.Arbitrary<Action> = fc.oneof(
  of('request', { node: anyNode, request }),
  ...(['create', 'start', 'stop', 'move', 'stick', 'lie', 'snapshot', 'restore'] as const).map((kind) =>
    of(kind, { node }),
  ),
  ...(['nothing', 'heal', 'settle', 'reset'] as const).map((kind) => fc.constant({ kind })),
  of('role', { node, role, force: fc.boolean() }),
  of('reload', { node: anyNode, replication: mode }),
  of('kill', { node, what: domain }),
  of('pause', { node, what: domain, ms: durationMs }),
  of('power', { node, on: fc.boolean() }),
  of('cut', { from: anyNode }),
  of('mend', { from: anyNode }),
  of('cut-after', {
    from: node,
    bytes: fc.nat(),
    how: fc.constantFrom('silence' as const, 'reset' as const),
  }),
  of('cut-channel', { from: node, channel: fc.nat({ max: 9 }) }),
  of('mend-channel', { from: node, channel: fc.nat({ max: 9 }) }),
  of('refuse', { node, on: fc.boolean() }),
  latency,
  of('bandwidth', { from: anyNode, bytesPerMs: fc.integer({ min: 1, max: 1_000_000 }) }),
  of('spikes', { from: anyNode, ms: durationMs }),
  of('batch', { from: anyNode, ms: durationMs }),
  of('fragment', { from: anyNode, on: fc.boolean() }),
  of('delay-close', { from: node, ms: durationMs }),
  of('fail', {
    node,
    operation,
    code: fc.constantFrom('EIO' as const, 'ENOSPC' as const, 'EOPNOTSUPP' as const),
    times,
    place,
  }),
  of('slow', { node, operation, delayMs: durationMs }),
  of('corrupt', { node, block, bit: fc.option(fc.nat({ max: 4095 }), { nil: null }) }),
  of('damage', {
    node,
    place: fc.constantFrom('metadata' as const, 'map' as const),
    bit: fc.nat({ max: 4095 }),
  }),
  of('misdirect', { node, block, to: block }),
  of('shorten', { node, blocks: fc.integer({ min: 1, max: BLOCKS }) }),
  of('repair', { node: anyNode }),
  of('until', { condition, withinMs: durationMs }),
  of('await', { condition, withinMs: durationMs }),
  of('expect', { expectation }),
);

const when: fc.Arbitrary<When> = fc.oneof(
  fc.constant({ kind: 'after' as const, ms: 0 }),
  of('after', { ms: durationMs }),
  of('at', { ms: durationMs }),
);

const step: fc.Arbitrary<Step> = fc.record({ when, action });

export const scripts: fc.Arbitrary<Script> = fc.record({ setup, steps: fc.array(step, { maxLength: 30 }) });
