/**
 * Where we differ from the recordings by right: one rule per case and field. `because` names the weakness (W of
 * core/spec/replication.md section 15) or the number in QUIRKS.md; `ours` makes what ours must be out of what was
 * recorded. A rule that no case needs fails the run.
 */
import { besidesDump, insteadOfAbort, insteadOfNonsense } from './create-differences.js';
import type { Created, Dumped } from './create-differences.js';
import type { View } from './replay/message.js';

export interface Difference {
  readonly kind: string;
  /** The case's name, or a pattern for several. */
  readonly case: string | RegExp;
  readonly field: string;
  readonly because: string;
  readonly ours: (recorded: unknown) => unknown;
}

export const DIFFERENCES: readonly Difference[] = [
  // The reference believes what it never sends; refusing is safe (core/spec/wire.md section 3).
  {
    kind: 'vectors',
    case: /^nv-decode: .*(host order flag|empty name)/,
    field: 'errno',
    because: 'quirk 16',
    ours: () => 22,
  },
  // Assertions of the reference on a peer's bytes: a data error here (core/spec/wire.md section 4.3).
  {
    kind: 'vectors',
    case: /^payload-decode: /,
    field: 'outcome',
    because: 'quirk 10',
    ours: (recorded) => (recorded === 'crash' ? { rc: -1, size: 0 } : recorded),
  },
  // A length that is no multiple of 8 is never sent, but nothing to die of (core/spec/wire.md section 4.2).
  {
    kind: 'vectors',
    case: /^compression: /,
    field: 'outcome',
    because: 'an assertion of the reference',
    ours: () => 'sent',
  },
  // A comment may end the file (config.md, L5); the reference echoes its `#` and reads on.
  {
    kind: 'config',
    case: /^/,
    field: 'comment at the end',
    because: 'quirk 32',
    ours: () => ({ verdict: 'accept', exit: 0, stderr: '' }),
  },
  // Bytes that the scanner does not know are not echoed (config.md, L3).
  {
    kind: 'config',
    case: /^/,
    field: 'stdout',
    because: 'quirk 32',
    ours: (recorded) => String(recorded).replaceAll(/[^A-Za-z0-9._/:[\]{} \t\n-]/g, ''),
  },
  {
    kind: 'metadata',
    case: /^create-/,
    field: 'abort',
    because: 'quirk 30',
    ours: (recorded) => insteadOfAbort(recorded as Created),
  },
  {
    kind: 'metadata',
    case: /^create-/,
    field: 'created',
    because: 'quirk 30 and metadata.md section 4',
    ours: (recorded) => insteadOfNonsense(recorded as Created),
  },
  {
    kind: 'metadata',
    case: /^create-/,
    field: 'dumped',
    because: 'metadata.md section 2.4',
    ours: (recorded) => besidesDump(recorded as Dumped),
  },
  // Of what a primary wrote before its orderly end nothing is dirty: both nodes have flushed it (W15).
  {
    kind: 'control',
    case: /^lifecycle-(?:fullsync-lzf|memsync): list on a, degraded$/,
    field: 'dirty',
    because: 'W15',
    ours: (recorded) => (recorded === '131072' ? '65536' : '8192'),
  },
  // What the secondary is told that it cannot carry out as told ends the session (core/spec/wire.md section 8.1).
  inWire('reply after a WRITE whose data does not fit its length', 'W22 and quirk 5', () => 'closed'),
  // A refused WRITE's data is dropped, and the session goes on.
  inWire('end of connection after a WRITE of no whole sectors', 'W23', () => 'open'),
  inWire('unrecorded reply after a WRITE of no whole sectors', 'W23', () => 'carried out'),
  // Peers of today ask for up to 1 MiB.
  inWire('error reply after a READ of more than 128 KiB', 'wire.md section 9', () => 'carried out'),
  // Nobody waits, or allocates, for a list that no peer would send.
  inWire('silence after a list of more than 64 KiB', 'quirk 14', () => 'closed'),
  // A hello proves nothing, so it ends no session (core/spec/wire.md section 6.1).
  inWire('end of connection after another hello', 'wire.md section 6.1', () => 'open'),
  // The first message of every session is one that every peer can read.
  inWire('hello', 'wire.md section 2 and quirk 18', (recorded) => ({ ...(recorded as View), version: 1 })),
  // A lonely write makes the resource id durable, so the node is no virgin any more.
  inWire('attach', 'W5', (recorded) => notVirginAfterWrites(recorded as View)),
  // After an error the peer is not up to date: the session ends, and what it lacks stays marked.
  inWire('request after an error reply', 'W1', () => 'closed'),
  inWire('status after an error reply', 'W1 and W19', (recorded) =>
    withStatus(recorded, 'complete', 'degraded'),
  ),
  inWire('data of both nodes after an error reply', 'W1', (recorded) =>
    recorded === 'different' ? 'marked' : recorded,
  ),
  // A write that was under way when the connection was lost is copied later.
  inWire('data of both nodes', 'W1', (recorded) => (recorded === 'different' ? 'equal' : recorded)),
  inWire('unrecorded WRITE of a whole extent that was written before', 'W1 and W15', () => 'sent'),
  // What the peer may lose is flushed before the map forgets it.
  inWire('unrecorded FLUSH of its own', 'W15', () => 'sent'),
  inWire('unrecorded KEEPALIVE that says insync after the counters were made equal', 'W8', () => 'sent'),
  inWire(
    'unrecorded KEEPALIVE that says incomplete before a synchronisation that the peer needs',
    'W8',
    () => 'sent',
  ),
  // A silent peer is probed.
  inWire('unrecorded READ of one sector, after 10 s of silence', 'W30', () => 'sent'),
  inWire('unrecorded READ again, to repair the local copy', 'W40', () => 'sent'),
  // A worker does not die of it.
  inWire(
    'device-write result after a memsync WRITE answered only once',
    'quirk 11',
    (recorded) => recorded ?? 0,
  ),
  inWire('status after a memsync WRITE answered only once', 'quirk 11', (recorded) =>
    withStatus(recorded, 'degraded', 'complete'),
  ),
];

function inWire(field: string, because: string, ours: Difference['ours']): Difference {
  return { kind: 'wire', case: /^/, field, because, ours };
}

function notVirginAfterWrites(attach: View): View {
  const wrote = !attach.fields.includes('localcnt:uint64=0');
  return { ...attach, fields: attach.fields.filter((field) => !wrote || field !== 'virgin:int8=1') };
}

/** Name, status and role as hastctl prints them. */
function withStatus(recorded: unknown, from: string, to: string): unknown {
  const [name, was, role] = recorded as readonly string[];
  return was === from ? [name, to, role] : recorded;
}
