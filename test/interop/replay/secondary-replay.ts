/**
 * Our secondary in the place of the recorded one. A scripted primary sends the recorded bytes, each message after the lines
 * before it and not before its time; our daemon must answer each as the recorded node did, on the same connection. Answers
 * to different requests may come in any order (core/spec/wire.md section 8.2), those to one in theirs.
 */
import { METADATA_BYTES } from '../../../core/metadata/geometry.js';
import { packPayload } from '../../../core/wire/payload.js';
import { encodeFrame } from '../../../core/wire/frame.js';
import { nv } from '../../../core/wire/nv.js';
import { simCodecs } from '../../../sim/codecs.js';
import type { Case } from '../report.js';
import { ScriptedConnection } from './connection.js';
import { Image } from './image.js';
import { nameOf, oddityOf, parseMessage, rangeOf, seqOf, sha256Of, viewOf, withValues } from './message.js';
import type { Message, View } from './message.js';
import { Operator, sideOf } from './operator.js';
import { prepare } from './prepare.js';
import type { Line, MessageLine, Operation, Recording } from './recording.js';
import { Stage } from './stage.js';

const ANSWER_LIMIT_MS = 5_000;
/** Unrecorded answers would have come by then. */
const SETTLE_MS = 1_000;
const WORKER_LIMIT_MS = 60_000;
/** Random at every run. */
const MASKED = ['token'];

export class SecondaryReplay {
  readonly #recording: Recording;
  readonly #test: Case;
  readonly #stage: Stage;
  readonly #operator: Operator;
  readonly #network: ReturnType<Stage['network']>;
  readonly #connections = new Map<string, ScriptedConnection>();
  /** Every request that was sent, by its seq. */
  readonly #asked = new Map<bigint, Message>();
  /** The data area as it must be. */
  readonly #image: Image;
  /** Our token for a recorded one. */
  readonly #tokens = new Map<string, Uint8Array>();
  #startMs = 0;
  /** The last unusual thing that the primary has said in this session. */
  #oddity: string | null = null;
  /** The resource id that the primary has told last, and the one it told a virgin secondary. */
  #told = 0n;
  #adopted = 0n;
  #executed = false;

  constructor(recording: Recording, test: Case) {
    const { header } = recording;
    this.#recording = recording;
    this.#test = test;
    this.#stage = new Stage(header);
    const concerns = (operation: Operation): boolean =>
      operation.op !== 'wait' && sideOf(operation) !== 'primary';
    this.#operator = new Operator(this.#stage, header.operations.filter(concerns), {
      peerCloses: () => {
        this.#closeAll();
      },
      peerHalfCloses: ({ conn }) => {
        for (const [name, connection] of this.#connections)
          if (name.endsWith(`.${String(conn)}`)) connection.finish();
      },
    });
    const elsewhere = header.operations.some(({ op, source }) => op === 'peer-sends' && source !== undefined);
    this.#network = this.#stage.network(elsewhere ? 'stranger' : 'primary');
    this.#image = new Image(this.#stage.stateOf('secondary'));
  }

  run(): void {
    prepare(this.#stage, 'secondary');
    this.#checkStart();
    this.#startMs = this.#stage.scheduler.nowMs;
    for (const line of this.#recording.lines) {
      this.#operator.until(() => this.#operator.idle, ANSWER_LIMIT_MS);
      this.#follow(line);
      this.#operator.reached(line.number);
    }
    this.#settle();
    this.#operator.until(() => this.#operator.idle, ANSWER_LIMIT_MS);
    this.#closeAll();
    this.#checkEnd();
  }

  #follow(line: Line): void {
    switch (line.kind) {
      case 'message':
        if (line.dir === 'p>s') this.#say(line);
        else this.#hear(line);
        return;
      case 'closed':
        if (line.dir === 'p>s') this.#connections.get(line.connection)?.finish();
        else this.#hearEnd(line.connection);
        return;
      case 'silence':
        this.#hearNothing(line.connection, line.seconds);
        return;
      case 'remark':
    }
  }

  #say({ message, connection: name, atMs }: MessageLine): void {
    const { scheduler } = this.#stage;
    const waitMs = this.#startMs + (atMs ?? 0) - scheduler.nowMs;
    if (waitMs > 0) this.#operator.until(() => false, waitMs);
    const connection = this.#connections.get(name) ?? this.#dial(name, message);
    this.#oddity = oddityOf(message) ?? this.#oddity;
    const seq = seqOf(message);
    if (seq !== null) this.#asked.set(seq, message);
    connection.send(this.#inOurWords(message));
  }

  /** What the recorded primary had from its peer is replaced by what it would have had from ours. */
  #inOurWords(message: Message): Uint8Array[] {
    const { list, frame, data } = message;
    if (list === null) return [frame, data];
    const token = this.#tokens.get(textOfToken(message));
    const { process, resuid } = this.#stage.stateOf('secondary');
    const told = list.bigint('resuid', 'uint64');
    if (told !== null) this.#told = told;
    const own = process === 'continued' && told === BigInt(resuid) ? { resuid: this.#metadata.resuid } : {};
    return withValues(message, { ...(token === undefined ? {} : { token }), ...own });
  }

  #dial(name: string, message: Message): ScriptedConnection {
    const others = [...this.#connections.values()].filter(({ ended, finishing }) => !ended && !finishing);
    if (nameOf(message) === 'hello' && others.length > 0) this.#oddity = 'another hello';
    const connection = new ScriptedConnection();
    connection.bind(this.#network.dial(this.#stage.addressOf('secondary'), null, connection));
    this.#connections.set(name, connection);
    return connection;
  }

  #hear({ message: recorded, connection: name }: MessageLine): void {
    const connection = this.#connections.get(name);
    if (connection === undefined) {
      this.#test.fail(`the recorded primary is answered on connection ${name}, which it has not opened`);
      return;
    }
    const seq = seqOf(recorded);
    let ours: Message | null = null;
    const heard = (): boolean => {
      ours ??= connection.take((message) => seqOf(message) === seq);
      return ours !== null || connection.ended;
    };
    this.#operator.until(heard, ANSWER_LIMIT_MS);
    const wanted = viewOf(recorded, MASKED);
    const answer = ours === null ? (connection.ended ? 'closed' : 'nothing') : this.#describe(ours, wanted);
    this.#test.same(this.#inContext(nameOf(recorded)), wanted, answer);
    if (ours !== null) this.#learn(recorded, ours);
  }

  #hearEnd(name: string): void {
    const connection = this.#connections.get(name);
    // Connections from before the recording went with the node that had them.
    if (connection === undefined) return;
    this.#operator.until(() => connection.ended, ANSWER_LIMIT_MS);
    this.#test.same(this.#inContext('end of connection'), 'closed', connection.ended ? 'closed' : 'open');
  }

  #hearNothing(name: string, seconds: number): void {
    const connection = this.#connections.get(name);
    this.#operator.until(() => connection?.ended === true, seconds * 1000);
    const [message] = connection?.received ?? [];
    const ours = message !== undefined ? viewOf(message) : connection?.ended === true ? 'closed' : 'silent';
    this.#test.same(this.#inContext('silence'), 'silent', ours);
  }

  #inContext(field: string): string {
    return this.#oddity === null ? field : `${field} after ${this.#oddity}`;
  }

  /** `carried out` is short for the answer to a request that is carried out, where another one was recorded. */
  #describe(ours: Message, recorded: View | 'nothing'): View | 'carried out' {
    const view = viewOf(ours, MASKED);
    const right = this.#rightAnswer(ours);
    const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
    return right !== null && same(view, right) && !same(view, recorded) ? 'carried out' : view;
  }

  /** To the request that `reply` answers, if it is carried out. */
  #rightAnswer(reply: Message): View | null {
    const seq = seqOf(reply);
    const request = seq === null ? undefined : this.#asked.get(seq);
    if (seq === null || request === undefined) return null;
    const range = rangeOf(request);
    const content = nameOf(request) === 'READ' && range.length > 0 ? this.#image.read(range) : null;
    const payload = content === null ? null : packPayload(simCodecs, this.#stage.initial, content);
    const frame = encodeFrame(reply.version, [nv.uint64('seq', seq), ...(payload?.fields ?? [])]);
    return viewOf(parseMessage(frame, payload?.data ?? new Uint8Array(0)));
  }

  #learn(recorded: Message, ours: Message): void {
    const token = ours.list?.bytes('token') ?? null;
    if (token !== null) this.#tokens.set(textOfToken(recorded), token.slice());
    if (ours.list?.has('virgin') === true) this.#adopted = this.#told;
    const request = this.#asked.get(seqOf(ours) ?? 0n);
    if (request === undefined || ours.list?.has('received') === true || ours.list?.has('error') === true)
      return;
    this.#executed = true;
    this.#image.apply(request);
  }

  /** What has come by now is all that comes. */
  #settle(): void {
    this.#stage.scheduler.runFor(SETTLE_MS);
    for (const { received } of this.#connections.values()) {
      for (const message of received.splice(0)) {
        const field = this.#inContext(`unrecorded ${nameOf(message)}`);
        this.#test.same(field, 'nothing', this.#describe(message, 'nothing'));
      }
    }
  }

  #closeAll(): void {
    this.#settle();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    this.#asked.clear();
    this.#oddity = null;
  }

  get #metadata(): ReturnType<Stage['nodes']['secondary']['metadata']> {
    return this.#stage.nodes.secondary.metadata(this.#stage.resourceOf('secondary'));
  }

  #checkStart(): void {
    const { role, process, localcnt, remotecnt } = this.#stage.stateOf('secondary');
    if (role !== null && process !== 'stopped')
      this.#test.same('role at the start', role, this.#stage.status('secondary')?.role);
    this.#test.same('localcnt at the start', localcnt, String(this.#metadata.localcnt));
    this.#test.same('remotecnt at the start', remotecnt, String(this.#metadata.remotecnt));
    this.#checkData('data at the start', 'visible');
  }

  #checkEnd(): void {
    const { scheduler, nodes } = this.#stage;
    const node = nodes.secondary;
    const state = this.#stage.stateOf('secondary');
    const resource = this.#stage.resourceOf('secondary');
    if (state.role !== 'primary') scheduler.runUntil(() => !node.hasWorker(resource), WORKER_LIMIT_MS);
    const { resuid, localcnt, remotecnt, localoff } = this.#metadata;
    // A secondary changes its counters never, its resource id only from 0.
    this.#test.same('localcnt', state.localcnt, String(localcnt));
    this.#test.same('remotecnt', state.remotecnt, String(remotecnt));
    if (state.process !== 'continued')
      this.#test.same('resuid', state.resuid === '0' ? String(this.#adopted) : state.resuid, String(resuid));
    // What was received is on the medium for good when the worker has gone (W16).
    this.#checkData('data', 'durable');
    if (this.#executed) {
      const map = node.medium(resource).durable.subarray(METADATA_BYTES, localoff);
      this.#test.same('map', 'erased', map.every((byte) => byte === 0) ? 'erased' : 'not erased');
    }
    const survived = this.#recording.header.daemon_survived;
    if (survived !== undefined) this.#test.same('daemon_survived', survived, node.alive);
  }

  #checkData(field: string, copy: 'visible' | 'durable'): void {
    const { localoff, datasize } = this.#metadata;
    const medium = this.#stage.nodes.secondary.medium(this.#stage.resourceOf('secondary'));
    const data = medium[copy].subarray(localoff, localoff + datasize);
    this.#test.same(field, sha256Of(this.#image.bytes), sha256Of(data));
  }
}

function textOfToken({ list }: Message): string {
  return String(list?.bytes('token') ?? '');
}
