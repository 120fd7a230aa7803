/** A world made of cardboard, in which every history can be told by hand: for judges, who believe what they see. */
import { encodeMetadata, type Metadata } from '../../../core/metadata/codec.js';
import type { ReplicationMode } from '../../../core/config/types.js';
import { STARTING } from '../../../core/resource/statistics.js';
import type { ResourceEvent, Role, WorkerStatus } from '../../../core/resource/types.js';
import type { ClientRequest } from '../../../sim/checkers/checker.js';
import { Judges } from '../../../sim/checkers/judges.js';
import type { View } from '../../../sim/checkers/view.js';
import { simCodecs } from '../../../sim/codecs.js';
import { BLOCK_BYTES, DEFAULT_SETUP, otherNode, type NodeName } from '../../../sim/script/script.js';
import { MetadataReader } from '../../../sim/world/metadata-reader.js';

export const EXTENTS = 4;
const EXTENT_BYTES = 4096;
const PER_EXTENT = EXTENT_BYTES / BLOCK_BYTES;
const BLOCKS = EXTENTS * PER_EXTENT;
const WORDS = BLOCK_BYTES / 4;
const MAP_OFFSET = 4096;
const DATA_OFFSET = MAP_OFFSET + 512;

const FRESH: Metadata = {
  ...{ resource: 'r0', datasize: EXTENTS * EXTENT_BYTES, extentsize: EXTENT_BYTES, keepdirty: 2 },
  ...{ localoff: DATA_OFFSET, resuid: 0n, localcnt: 0n, remotecnt: 0n, prevrole: 'init' },
  ...{ incomplete: false, localBad: [] },
};

/** One image of a component. */
class Image {
  readonly words = new Int32Array(BLOCKS);
  readonly bits = new Set<number>();
  metadata: Metadata | null = FRESH;

  become({ words, bits, metadata }: Image): void {
    this.words.set(words);
    this.bits.clear();
    for (const bit of bits) this.bits.add(bit);
    this.metadata = metadata;
  }
}

class Node {
  readonly visible = new Image();
  readonly durable = new Image();
  readonly outstanding: ClientRequest[] = [];
  readonly reader = new MetadataReader();
  role: Role = 'init';
  workers = 0;
  status: WorkerStatus = { ...STARTING, status: 'complete', extentsize: EXTENT_BYTES, idleQueue: 255 };
  bad = false;
  calmSinceMs = 0;
  deafSinceMs = Infinity;
}

export class Stage implements View {
  readonly setup = { ...DEFAULT_SETUP, extents: EXTENTS, extentBytes: EXTENT_BYTES };
  readonly blocks = BLOCKS;
  readonly extents = EXTENTS;
  readonly blocksPerExtent = PER_EXTENT;
  readonly dataOffset = DATA_OFFSET;
  readonly nodes: Readonly<Record<NodeName, Node>> = { a: new Node(), b: new Node() };
  readonly judges: Judges;
  replication: ReplicationMode = 'fullsync';
  slowMs = -Infinity;
  #requests = 0;
  #nowMs = 0;

  constructor() {
    this.judges = new Judges(this, () => 0);
  }

  /** What was reported, each invariant once. */
  get found(): readonly string[] {
    return [...new Set(this.judges.violations.map(({ invariant }) => invariant))];
  }

  // What happens in the world.

  pass(ms: number): void {
    for (let leftMs = ms; leftMs > 0; leftMs -= 1000) {
      this.#nowMs += Math.min(1000, leftMs);
      this.judges.passed();
    }
  }

  /** a is primary, b secondary; they are connected, and equal. */
  pair(): this {
    for (const node of ['a', 'b'] as const) this.store(node, { resuid: 7n });
    this.order('b', 'secondary');
    this.order('a', 'primary');
    this.startWorker('a', 'primary');
    this.judges.deviceAppeared('a', false);
    this.connect('a');
    this.agree('a');
    return this;
  }

  order(node: NodeName, role: Role): void {
    this.judges.roleOrdered(node, this.nodes[node].role, role);
    this.nodes[node].role = role;
    this.nodes[node].calmSinceMs = this.#nowMs;
  }

  startWorker(node: NodeName, role: Role): void {
    this.nodes[node].workers++;
    this.judges.workerStarted(node, role);
  }

  endWorker(node: NodeName, role: Role, orderly: boolean): void {
    this.nodes[node].workers--;
    this.vanish(node);
    this.judges.workerEnded(node, role, orderly);
  }

  vanish(node: NodeName): void {
    if (this.judges.ledger.facts[node].term === null) return;
    for (const { write } of this.nodes[node].outstanding) if (write !== 0) this.judges.ledger.end(write);
    this.nodes[node].outstanding.length = 0;
    this.judges.deviceVanished(node);
  }

  say(node: NodeName, role: Role, event: ResourceEvent): void {
    this.judges.event(node, role, event);
  }

  /** A new session of the primary `node`, with a new worker of the other node, which is marked if it is to be copied to. */
  connect(node: NodeName): void {
    const other = otherNode(node);
    this.startWorker(other, 'secondary');
    this.say(other, 'secondary', 'connect');
    this.say(node, 'primary', 'connect');
    if (this.judges.ledger.facts[other].lagging) this.store(other, { incomplete: true });
  }

  /** The session of the primary `node` ends on both sides; everything that arrived is executed. */
  disconnect(node: NodeName): void {
    this.say(node, 'primary', 'disconnect');
    this.say(otherNode(node), 'secondary', 'disconnect');
    this.endWorker(otherNode(node), 'secondary', true);
  }

  /** A synchronisation, in which the counters become equal. */
  agree(primary: NodeName): void {
    const theirs = this.nodes[otherNode(primary)].visible.metadata ?? FRESH;
    this.say(primary, 'primary', 'syncstart');
    this.store(primary, { localcnt: theirs.remotecnt, remotecnt: theirs.localcnt });
    if (theirs.incomplete) this.store(otherNode(primary), { incomplete: false });
    this.say(primary, 'primary', 'syncdone');
  }

  submit(node: NodeName, command: ClientRequest['command'], block = 0, count = 1): ClientRequest {
    const { ledger } = this.judges;
    const { term } = ledger.facts[node];
    const isWrite = command === 'write' || command === 'delete';
    const write = isWrite ? ledger.issue(node, block, count, command === 'delete') : 0;
    const request: ClientRequest = {
      ...{ node, command, block, count, write, term },
      number: ++this.#requests,
      issuedMs: this.#nowMs,
      words: command === 'read' ? new Uint32Array(count * WORDS) : null,
      floors: command === 'read' ? (term?.floor.slice(block, block + count) ?? null) : null,
      covers: command === 'flush' ? ledger.flushCovers(node) : null,
      session: ledger.sessionOf(node),
      answeredIn: null,
      error: undefined,
    };
    this.nodes[node].outstanding.push(request);
    this.judges.issued(request);
    return request;
  }

  answer(request: ClientRequest, error: string | null = null): void {
    const { outstanding } = this.nodes[request.node];
    const { ledger } = this.judges;
    outstanding.splice(outstanding.indexOf(request), 1);
    request.answeredIn = ledger.sessionOf(request.node);
    request.error = error;
    if (request.write !== 0) ledger.end(request.write);
    this.judges.answered(request);
  }

  /** A READ of one block that returns `word`. */
  read(node: NodeName, block: number, word: number): void {
    const request = this.submit(node, 'read', block);
    request.words?.fill(word);
    this.answer(request);
  }

  /** The application's write is executed on these nodes, under a dirty bit, and acknowledged. */
  write(node: NodeName, block: number, where: readonly NodeName[], durably = false): number {
    this.mark(node, block, true);
    const request = this.submit(node, 'write', block);
    for (const copy of where) this.put(copy, block, request.write);
    if (durably) for (const copy of where) this.flush(copy);
    if (!this.judges.ledger.facts[node].connected) this.count(node);
    this.answer(request);
    return request.write;
  }

  /** The node has done something alone: its counter says so. */
  count(node: NodeName): void {
    const [ours, theirs] = [this.metadata(node) ?? FRESH, this.metadata(otherNode(node)) ?? FRESH];
    if (ours.localcnt <= theirs.remotecnt) this.store(node, { localcnt: ours.localcnt + 1n });
  }

  /** The disk writes one block, all at once. */
  put(node: NodeName, block: number, word: number): void {
    const offset = DATA_OFFSET + block * BLOCK_BYTES;
    this.#write(node, offset, new Uint8Array(new Uint32Array(WORDS).fill(word).buffer), ({ words }) => {
      words[block] = word;
    });
  }

  /** Sets or clears the bit of the block's extent on the disk. */
  mark(node: NodeName, block: number, dirty: boolean, durably = true): void {
    const extent = Math.floor(block / PER_EXTENT);
    this.#write(node, MAP_OFFSET, new Uint8Array(512), ({ bits }) => {
      if (dirty) bits.add(extent);
      else bits.delete(extent);
    });
    if (!durably) return;
    if (dirty) this.nodes[node].durable.bits.add(extent);
    else this.nodes[node].durable.bits.delete(extent);
  }

  /** Writes metadata, durably unless said otherwise. */
  store(node: NodeName, changes: Partial<Metadata>, durably = true): void {
    const { visible, durable } = this.nodes[node];
    const metadata = { ...(visible.metadata ?? FRESH), ...changes };
    this.#write(node, 0, encodeMetadata(metadata, simCodecs), (image) => {
      image.metadata = metadata;
    });
    if (!durably) return;
    durable.metadata = metadata;
    this.judges.diskFlushed(node);
  }

  flush(node: NodeName): void {
    this.nodes[node].durable.become(this.nodes[node].visible);
    this.judges.diskFlushed(node);
  }

  losePower(node: NodeName): void {
    this.nodes[node].visible.become(this.nodes[node].durable);
    this.judges.powerLost(node);
  }

  create(node: NodeName): void {
    for (const image of [this.nodes[node].visible, this.nodes[node].durable]) {
      image.metadata = FRESH;
      image.bits.clear();
    }
    this.judges.created(node);
  }

  #write(node: NodeName, offset: number, source: Uint8Array, change: (image: Image) => void): void {
    this.judges.diskWriteStarted(node, offset, source.length, source);
    change(this.nodes[node].visible);
    this.judges.diskWritten(node, offset, source.length);
    this.judges.diskWriteEnded(node, offset, source.length);
  }

  // What anybody can see.

  nowMs(): number {
    return this.#nowMs;
  }

  visible(node: NodeName, block: number): number {
    return this.nodes[node].visible.words[block] ?? 0;
  }

  durable(node: NodeName, block: number): number {
    return this.nodes[node].durable.words[block] ?? 0;
  }

  visibleBit(node: NodeName, extent: number): boolean {
    return this.nodes[node].visible.bits.has(extent);
  }

  durableBit(node: NodeName, extent: number): boolean {
    return this.nodes[node].durable.bits.has(extent);
  }

  metadata(node: NodeName): Metadata | null {
    return this.nodes[node].visible.metadata;
  }

  durableMetadata(node: NodeName): Metadata | null {
    return this.nodes[node].durable.metadata;
  }

  decode(node: NodeName, block: Uint8Array): Metadata | null {
    const mediaSize = DATA_OFFSET + EXTENTS * EXTENT_BYTES;
    return this.nodes[node].reader.read(block, { resource: 'r0', mediaSize, sectorSize: BLOCK_BYTES });
  }

  role(node: NodeName): Role {
    return this.nodes[node].role;
  }

  isEnding(): boolean {
    return false;
  }

  isUp(): boolean {
    return true;
  }

  hasWorker(node: NodeName): boolean {
    return this.nodes[node].workers > 0;
  }

  status(node: NodeName): WorkerStatus | null {
    return this.hasWorker(node) ? this.nodes[node].status : null;
  }

  mode(): ReplicationMode {
    return this.replication;
  }

  modeSettled(): boolean {
    return true;
  }

  underWay(node: NodeName, block: number): boolean {
    const isHit = (request: ClientRequest): boolean =>
      request.write !== 0 && block >= request.block && block < request.block + request.count;
    return this.nodes[node].outstanding.some(isHit);
  }

  diskWasBad(node: NodeName): boolean {
    return this.nodes[node].bad;
  }

  canFlush(): boolean {
    return true;
  }

  disturbed(): boolean {
    return false;
  }

  outstanding(): number {
    return this.nodes.a.outstanding.length + this.nodes.b.outstanding.length;
  }

  oldest(node: NodeName): ClientRequest | null {
    return this.nodes[node].outstanding[0] ?? null;
  }

  nodeCalmMs(node: NodeName): number {
    return this.#nowMs - this.nodes[node].calmSinceMs;
  }

  linksCalmMs(): number {
    return this.#nowMs;
  }

  slowAtMs(): number {
    return this.slowMs;
  }

  deafMs(node: NodeName): number {
    return Math.max(0, this.#nowMs - this.nodes[node].deafSinceMs);
  }
}
