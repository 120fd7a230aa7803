/**
 * The state of a world as a fingerprint: what its disks hold, who is alive in which role, what is on the wire, and what each
 * worker has been told so far, in whatever order. Its memory follows from that, but for what depends on the order alone.
 */
import type { LogLevel } from '../../core/ports/log.js';
import type { Channel } from '../channel.js';
import type { ClientRequest } from '../checkers/checker.js';
import type { Connection } from '../connection.js';
import type { SimMedium } from '../medium.js';
import type { Action, NodeName, Script } from '../script/script.js';
import type { World } from '../world/world.js';
import { EventWatch } from './event-watch.js';

/** Kinds of things that are told. */
const WRITTEN = 1;
const FLUSHED = 2;
const DELIVERED = 3;
const LOGGED = 4;
const ANSWERED = 5;
const STRUCK = 6;

/** Where the metadata ends that anybody writes, in words. */
const METADATA_WORDS = 128;
const MAP_WORD = 1024;

/** A sum over everything told: the order does not matter. */
class Memory {
  low = 0;
  high = 0;

  add(kind: number, a: number, b: number): void {
    let word = Math.imul(kind ^ Math.imul(a, 0x9e3779b1), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 15) ^ b, 0xc2b2ae35);
    this.low = (this.low + (word ^ (word >>> 16))) | 0;
    this.high = (this.high + Math.imul(word ^ (word >>> 13), 0x165667b1)) | 0;
  }
}

/** One direction of a connection. */
class Stream {
  hash = 0;
  sentBytes = 0;
  arrivedBytes = 0;
}

export class StateWatch extends EventWatch {
  /** The fingerprint last made: 64 bits. */
  low = 0;
  high = 0;
  readonly #rest: readonly number[];
  readonly #memories = { a: new Memory(), b: new Memory(), application: new Memory() };
  readonly #workers = { a: 0, b: 0 };
  /** What is on the wire. */
  readonly #streams = new Map<Channel, Stream>();
  #step = 0;

  constructor(script: Script, firstStep: number, endStep: number) {
    super(firstStep, endStep);
    const setup = hashOf(JSON.stringify(script.setup));
    this.#rest = script.steps.map((_, index) => setup ^ hashOf(JSON.stringify(script.steps.slice(index))));
  }

  /** Makes the fingerprint of this moment. */
  print(world: World): void {
    const { application } = this.#memories;
    this.low = application.low;
    this.high = application.high;
    this.#mix(this.#rest[this.#step] ?? 0);
    for (const name of ['a', 'b'] as const) {
      const node = world.nodes[name];
      this.#mix(this.#memories[name].low);
      this.#mix(this.#memories[name].high);
      this.#mix(this.#workers[name]);
      this.#mix(hashOf(node.role) * 4 + (node.alive ? 2 : 0) + (node.hasWorker ? 1 : 0));
      this.#mixMedium(node.medium);
    }
    this.#mix(world.client.outstanding);
    for (const [{ connection }, { hash, sentBytes, arrivedBytes }] of this.#streams) {
      this.#mix(connection.number);
      this.#mix(hash);
      this.#mix(sentBytes - arrivedBytes);
    }
  }

  override step(index: number): void {
    super.step(index);
    this.#step = index;
  }

  /** What was done to the world; that a message was late is seen by what happens. */
  struck(action: Action): void {
    if (action.kind === 'latency') return;
    this.#memories.application.add(STRUCK, hashOf(JSON.stringify(action)), 0);
  }

  override diskWritten(node: NodeName, offset: number, length: number): void {
    super.diskWritten(node, offset, length);
    this.#memories[node].add(WRITTEN, offset, length);
  }

  override diskFlushed(node: NodeName): void {
    super.diskFlushed(node);
    this.#memories[node].add(FLUSHED, 0, 0);
  }

  override sent(channel: Channel, bytes: Uint8Array): void {
    super.sent(channel, bytes);
    const stream = this.#streamOf(channel);
    let { hash } = stream;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    stream.hash = hash;
    stream.sentBytes += bytes.length;
  }

  override delivered(channel: Channel, bytes: number): void {
    super.delivered(channel, bytes);
    const stream = this.#streamOf(channel);
    stream.arrivedBytes += bytes;
    const { name } = channel.link.to;
    if (name === 'a' || name === 'b') this.#memories[name].add(DELIVERED, stream.hash, stream.arrivedBytes);
    if (stream.arrivedBytes === stream.sentBytes) this.#streams.delete(channel);
  }

  override closed(connection: Connection): void {
    super.closed(connection);
    this.#streams.delete(connection.there);
    this.#streams.delete(connection.back);
  }

  logged(node: NodeName, _level: LogLevel, text: string): void {
    this.#memories[node].add(LOGGED, hashOf(text), text.length);
  }

  answered(request: ClientRequest): void {
    this.#memories.application.add(ANSWERED, request.write, hashOf(request.error ?? ''));
  }

  /** What it was told is forgotten. */
  workerEnded(node: NodeName): void {
    this.#memories[node] = new Memory();
    this.#workers[node]++;
  }

  #streamOf(channel: Channel): Stream {
    let stream = this.#streams.get(channel);
    if (stream === undefined) {
      stream = new Stream();
      this.#streams.set(channel, stream);
    }
    return stream;
  }

  #mixMedium({ visibleWords, durableWords }: SimMedium): void {
    for (const words of [visibleWords, durableWords]) {
      for (let at = 0; at < METADATA_WORDS; at++) this.#mix(words[at] ?? 0);
      for (let at = MAP_WORD; at < words.length; at++) this.#mix(words[at] ?? 0);
    }
  }

  #mix(word: number): void {
    this.low = Math.imul((this.low ^ word) + ((this.low << 13) | (this.low >>> 19)), 0x9e3779b1);
    this.high = Math.imul(this.high ^ this.low ^ (this.high >>> 15), 0x85ebca6b);
  }
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
