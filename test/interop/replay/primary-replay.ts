/**
 * Our primary in the place of the recorded one. The recorded operations are carried out on it, and a scripted secondary answers
 * with the recorded bytes; our daemon must ask what the recorded node asked, in the same order on each connection. What
 * it says beyond that must have an explanation, and is answered as a secondary with the recorded data would.
 */
import { METADATA_BYTES } from '../../../core/metadata/geometry.js';
import { encodeFrame } from '../../../core/wire/frame.js';
import { nv } from '../../../core/wire/nv.js';
import { bytesOfHex } from '../files.js';
import type { Case } from '../report.js';
import type { Submitted } from './application.js';
import { ScriptedConnection } from './connection.js';
import { Image } from './image.js';
import { nameOf, rangeOf, seqOf, sha256Of, viewOf, withValues, type Message } from './message.js';
import type { ReplayNode } from './node.js';
import { Operator, sideOf } from './operator.js';
import { prepare } from './prepare.js';
import type { Line, MessageLine, Operation, Recording } from './recording.js';
import { Stage } from './stage.js';
import { explain, writtenRanges } from './unrecorded.js';

/** Longer than a primary waits between two attempts to connect, and than the longest recorded pause. */
const QUESTION_LIMIT_MS = 60_000;
/** Unrecorded questions would have come by then. */
const SETTLE_MS = 1_000;
/** `syncsrc` in an answer to attach. */
const SECONDARY = 2;

export class PrimaryReplay {
  readonly #recording: Recording;
  readonly #test: Case;
  readonly #stage: Stage;
  readonly #operator: Operator;
  /** Accepted and not yet recognised as a recorded one. */
  readonly #accepted: ScriptedConnection[] = [];
  readonly #connections = new Map<string, ScriptedConnection>();
  /** Fields that are taken as they come. */
  readonly #masked: readonly string[];
  /** Our seqs for a recorded one, the oldest first. */
  readonly #seqs = new Map<bigint, bigint[]>();
  /** Every request of ours, by its seq. */
  readonly #requests = new Map<bigint, Message>();
  /** Requests of ours that were answered for the first of two times. */
  readonly #received = new Set<bigint>();
  readonly #submitted: (readonly [Operation, Submitted])[] = [];
  /** The secondary's data area, and our own as the application has written it. */
  readonly #remote: Image;
  readonly #local: Image;
  /** The last answer to attach that was no refusal. */
  #attached: Message | null = null;
  #saidMs = 0;
  #line = 0;
  /** The last unusual answer of the secondary. */
  #oddity: string | null = null;

  constructor(recording: Recording, test: Case) {
    const { header } = recording;
    this.#recording = recording;
    this.#test = test;
    this.#stage = new Stage(header);
    const mine = header.operations.filter((operation) => sideOf(operation) !== 'secondary');
    this.#operator = new Operator(this.#stage, mine, {
      peerCloses: () => {
        for (const connection of this.#connections.values()) connection.close();
      },
      submitted: (operation, submitted) => {
        this.#submitted.push([operation, submitted]);
      },
    });
    const state = this.#stage.stateOf('primary');
    const ownId = state.resuid === '0' || state.process === 'continued';
    this.#masked = ownId ? ['seq', 'resuid'] : ['seq'];
    this.#remote = new Image(this.#stage.stateOf('secondary'));
    this.#local = new Image(state);
  }

  run(): void {
    prepare(this.#stage, 'primary');
    this.#checkStart();
    this.#listen();
    for (const line of this.#recording.lines) {
      // What was done after the last line is done last.
      this.#operator.reached(line.number - 1);
      this.#follow(line);
      this.#line = line.number;
    }
    this.#quietUntil(() => false, SETTLE_MS);
    this.#checkStatus();
    this.#operator.reached(Infinity);
    this.#quietUntil(() => this.#operator.idle, QUESTION_LIMIT_MS);
    if (!this.#operator.idle) this.#test.fail(`the operations stop at ${this.#operator.where}`);
    this.#checkEnd();
  }

  #listen(): void {
    const accept = (): ScriptedConnection => {
      const connection = new ScriptedConnection();
      this.#accepted.push(connection);
      return connection;
    };
    this.#stage.network('secondary').listen(
      this.#stage.addressOf('secondary'),
      (socket) => {
        const connection = accept();
        connection.bind(socket);
        connection.resume();
        return connection;
      },
      (error) => {
        if (error !== null) this.#test.fail(error.message);
      },
    );
  }

  #follow(line: Line): void {
    switch (line.kind) {
      case 'message':
        if (line.dir === 'p>s') this.#hear(line);
        else this.#say(line);
        return;
      case 'closed':
        if (line.dir === 's>p') this.#connections.get(line.connection)?.finish();
        else this.#hearEnd(line.connection);
        return;
      case 'silence':
        this.#quietUntil(() => false, line.seconds * 1000);
        return;
      case 'remark':
    }
  }

  #hear({ message: recorded, connection: name }: MessageLine): void {
    const field = this.#oddity === null ? nameOf(recorded) : this.#inContext('request');
    const wanted = viewOf(recorded, this.#masked);
    const connection = this.#connectionOf(name);
    for (;;) {
      const heard = (): boolean => connection === null || connection.received.length > 0 || connection.ended;
      this.#operator.until(heard, QUESTION_LIMIT_MS);
      const ours = connection?.received.shift();
      if (connection === null || ours === undefined) {
        this.#test.same(field, wanted, connection?.ended === false ? 'nothing' : 'closed');
        return;
      }
      if (!isAboutTheSame(ours, recorded) && this.#explained(ours)) continue;
      this.#test.same(field, wanted, viewOf(ours, this.#masked));
      this.#register(recorded, ours);
      return;
    }
  }

  /** The recorded connection is the next one that our primary makes. */
  #connectionOf(name: string): ScriptedConnection | null {
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    this.#operator.until(() => this.#accepted.length > 0, QUESTION_LIMIT_MS);
    const next = this.#accepted.shift() ?? null;
    if (next !== null) this.#connections.set(name, next);
    return next;
  }

  /** Every request needs a seq of its own (W29). */
  #register(recorded: Message | null, ours: Message): void {
    const seq = seqOf(ours);
    if (seq === null) return;
    if (seq === 0n || this.#requests.has(seq)) this.#test.fail(`seq ${String(seq)} is used twice, or 0`);
    this.#requests.set(seq, ours);
    const recordedSeq = recorded === null ? null : seqOf(recorded);
    if (recordedSeq !== null) this.#seqs.set(recordedSeq, [...(this.#seqs.get(recordedSeq) ?? []), seq]);
  }

  /** Says the recorded reply, to the request of ours that stands for the recorded one. */
  #say({ message, connection: name }: MessageLine): void {
    const connection = this.#connections.get(name);
    if (connection === undefined || connection.ended) return;
    this.#saidMs = this.#stage.scheduler.nowMs;
    if (nameOf(message) === 'answer to attach' && message.list?.has('errmsg') === false)
      this.#attached = message;
    const recordedSeq = seqOf(message);
    const waiting = recordedSeq === null ? [] : (this.#seqs.get(recordedSeq) ?? []);
    const [seq] = waiting;
    if (seq === undefined) {
      connection.send([message.frame, message.data]);
      return;
    }
    if (message.list?.has('received') === true && nameOf(message) !== 'error reply') {
      this.#received.add(seq);
    } else {
      waiting.shift();
      this.#finish(seq, message);
    }
    connection.send(withValues(message, { seq }));
  }

  #finish(seq: bigint, reply: Message): void {
    const request = this.#requests.get(seq);
    if (request === undefined) return;
    const once = request.list?.has('memsync') === true && !this.#received.has(seq);
    if (nameOf(reply) === 'error reply') this.#oddity = 'an error reply';
    else if (once) this.#oddity = 'a memsync WRITE answered only once';
    if (nameOf(reply) !== 'error reply') this.#remote.apply(request);
  }

  #hearEnd(name: string): void {
    const connection = this.#connections.get(name);
    // Connections from before the recording went with the node that had them.
    if (connection === undefined) return;
    this.#operator.until(() => connection.ended, QUESTION_LIMIT_MS);
    const ours = connection.ended ? 'closed' : 'open';
    this.#test.same(this.#inContext('end of connection'), 'closed', ours);
  }

  #inContext(field: string): string {
    return this.#oddity === null ? field : `${field} after ${this.#oddity}`;
  }

  /** Answers a message that was not recorded; false when nothing explains it. */
  #explained(message: Message): boolean {
    const { header } = this.#recording;
    const why = explain(message, {
      state: this.#stage.stateOf('primary'),
      silentMs: this.#stage.scheduler.nowMs - this.#saidMs,
      asked: [...this.#requests.values()],
      countersAgree: this.#countersAgree(),
      isDirty: () => (this.#stage.status('primary')?.counters.dirty ?? 0) > 0,
      written: writtenRanges(header, this.#line),
      data: this.#node.userData(this.#resource),
    });
    if (why === null) return false;
    this.#test.same(`unrecorded ${nameOf(message)} ${why}`, 'nothing', 'sent');
    this.#register(null, message);
    const seq = seqOf(message);
    if (seq !== null) this.#answer(message, seq);
    return true;
  }

  #answer(request: Message, seq: bigint): void {
    this.#remote.apply(request);
    this.#saidMs = this.#stage.scheduler.nowMs;
    const data = nameOf(request) === 'READ' ? this.#remote.read(rangeOf(request)) : null;
    const pairs = [nv.uint64('seq', seq), ...(data === null ? [] : [nv.uint32('size', data.length)])];
    // Replies go out on the connection that was made second.
    const connections = [...this.#connections.values()].filter(({ ended }) => !ended);
    connections.at(-1)?.send([encodeFrame(request.version, pairs), data ?? new Uint8Array(0)]);
  }

  /** As long as nothing recorded is to come: everything that our primary says must have an explanation. */
  #quietUntil(condition: () => boolean, withinMs: number): void {
    const { scheduler } = this.#stage;
    const endMs = scheduler.nowMs + withinMs;
    const connections = [...this.#connections.values()];
    const spoken = (): boolean => connections.some(({ received }) => received.length > 0);
    while (scheduler.nowMs < endMs) {
      this.#operator.until(() => condition() || spoken(), endMs - scheduler.nowMs);
      if (!spoken()) return;
      for (const { received } of connections) {
        for (const message of received.splice(0)) {
          if (!this.#explained(message))
            this.#test.same(`unrecorded ${nameOf(message)}`, 'nothing', viewOf(message));
        }
      }
    }
  }

  get #node(): ReplayNode {
    return this.#stage.nodes.primary;
  }

  #checkStart(): void {
    const { role, localcnt, remotecnt, map_hex } = this.#stage.stateOf('primary');
    this.#test.same('role at the start', role, this.#stage.status('primary')?.role);
    const metadata = this.#node.metadata(this.#resource);
    this.#test.same('localcnt at the start', localcnt, String(metadata.localcnt));
    this.#test.same('remotecnt at the start', remotecnt, String(metadata.remotecnt));
    this.#checkLocalData('data at the start');
    // A running bitmap may be a superset.
    const dirty = this.#dirtyExtents();
    const missing = extentsIn(bytesOfHex(map_hex ?? '')).filter((extent) => !dirty.has(extent));
    this.#test.same('dirty extents missing at the start', [], missing);
  }

  #checkStatus(): void {
    const { status } = this.#recording.header;
    const ours = this.#stage.status('primary');
    if (status !== undefined)
      this.#test.same(this.#inContext('status'), status, [ours?.resource, ours?.status, ours?.role]);
  }

  #checkEnd(): void {
    for (const [operation, submitted] of this.#submitted) this.#checkResult(operation, submitted);
    if (this.#attached === null) return;
    this.#checkNodesEqual();
    if (this.#attached.list?.number('syncsrc', 'uint8') !== SECONDARY) this.#checkLocalData('data');
    this.#checkCounters(this.#attached);
  }

  #checkResult(operation: Operation, { result, data }: Submitted): void {
    this.#test.same(this.#inContext(`${operation.op} result`), operation.result ?? null, result);
    if (data !== null) this.#test.same(`${operation.op} sha256`, operation.sha256, sha256Of(data));
    this.#local.operate(operation);
  }

  /** What the secondary lacks the primary must know to lack, on its disk. */
  #checkNodesEqual(): void {
    const { final_secondary_equal: recorded } = this.#recording.header.outcome;
    if (recorded === null) return;
    const { extentsize, datasize } = this.#stage.stateOf('primary');
    const local = this.#node.userData(this.#resource);
    const dirty = this.#dirtyExtents();
    const differing: number[] = [];
    for (let start = 0; start < datasize; start += extentsize) {
      const end = Math.min(start + extentsize, datasize);
      if (sha256Of(local.subarray(start, end)) !== sha256Of(this.#remote.bytes.subarray(start, end)))
        differing.push(start / extentsize);
    }
    const unknown = differing.filter((extent) => !dirty.has(extent));
    const ours = differing.length === 0 ? 'equal' : unknown.length === 0 ? 'marked' : 'different';
    this.#test.same(this.#inContext('data of both nodes'), recorded ? 'equal' : 'different', ours);
  }

  #checkLocalData(field: string): void {
    this.#test.same(field, sha256Of(this.#local.bytes), sha256Of(this.#node.userData(this.#resource)));
  }

  /** After a completed synchronisation each node's counter is what the other one thinks it is. */
  #checkCounters({ list }: Message): void {
    const status = this.#stage.status('primary');
    if (status?.status !== 'complete' || status.counters.dirty > 0) return;
    const { localcnt, remotecnt } = this.#node.metadata(this.#resource);
    this.#test.same('localcnt', String(list?.bigint('remotecnt', 'uint64')), String(localcnt));
    this.#test.same('remotecnt', String(list?.bigint('localcnt', 'uint64')), String(remotecnt));
  }

  #countersAgree(): boolean {
    const list = this.#attached?.list ?? null;
    const { localcnt, remotecnt } = this.#node.metadata(this.#resource);
    return (
      list?.bigint('remotecnt', 'uint64') === localcnt && list.bigint('localcnt', 'uint64') === remotecnt
    );
  }

  get #resource(): string {
    return this.#stage.resourceOf('primary');
  }

  #dirtyExtents(): Set<number> {
    const { localoff } = this.#node.metadata(this.#resource);
    return new Set(extentsIn(this.#node.medium(this.#resource).durable.subarray(METADATA_BYTES, localoff)));
  }
}

function extentsIn(bitmap: Uint8Array): number[] {
  return [...bitmap].flatMap((byte, i) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0).map((bit) => i * 8 + bit),
  );
}

/** The same request, or the same step of the handshake. */
function isAboutTheSame(ours: Message, recorded: Message): boolean {
  const a = rangeOf(ours);
  const b = rangeOf(recorded);
  return nameOf(ours) === nameOf(recorded) && a.offset === b.offset && a.length === b.length;
}
