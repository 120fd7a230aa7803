/**
 * Writes down everything that happens in a world, in words: what the application asked and was told, what went over the wire,
 * what was written to the disks, what the nodes said. A witness beside the judges; nothing of the run depends on it.
 */
import type { LogLevel } from '../../core/ports/log.js';
import type { ResourceEvent, Role } from '../../core/resource/types.js';
import type { Channel } from '../channel.js';
import type { ClientRequest } from '../checkers/checker.js';
import type { Connection } from '../connection.js';
import type { LanObserver } from '../lan.js';
import { printAction } from '../script/print.js';
import { BLOCK_BYTES, otherNode, type NodeName, type Step } from '../script/script.js';
import type { Violation } from '../world/result.js';
import type { Witness } from '../world/witness.js';
import type { World } from '../world/world.js';
import { FrontWatch } from './front-watch.js';
import { ConnectionTap, type ChannelTap, type TappedMessage } from './wiretap.js';

export type Party = 'script' | 'application' | NodeName | 'disk a' | 'disk b';

export type HappeningKind =
  | 'step'
  | 'request'
  | 'answer'
  | 'sent'
  | 'arrived'
  | 'connection'
  | 'written'
  | 'metadata'
  | 'map'
  | 'flush'
  | 'power'
  | 'worker'
  | 'device'
  | 'event'
  | 'hook'
  | 'log'
  | 'violation';

export interface Happening {
  /** Virtual milliseconds. */
  readonly atMs: number;
  readonly kind: HappeningKind;
  readonly from: Party;
  readonly to: Party;
  readonly text: string;
  /** Blocks of the device that it is about. */
  readonly blocks: { readonly first: number; readonly count: number } | null;
  /** Nobody misses it who does not look for the smallest detail. */
  readonly minor: boolean;
  /** Of a message that is sent: when its last byte arrives; null: it never does. */
  arrivesMs: number | null;
}

/** A block as the disks hold it: what was written there, and whether its extent is marked dirty. */
export interface BlockState {
  readonly visible: string;
  readonly durable: string;
  readonly dirty: boolean;
}

export interface Moment {
  readonly happening: Happening;
  readonly states: Readonly<Record<NodeName, BlockState>>;
}

/** Everything else that nodes log is known from what happens. */
const LEVELS: readonly LogLevel[] = ['crit', 'error', 'warning'];

export class Chronicle implements Witness, LanObserver {
  readonly happenings: Happening[] = [];
  /** What happened to the block that was asked for, with what the disks held right after. */
  readonly moments: Moment[] = [];
  readonly #block: number | null;
  readonly #taps = new Map<Connection, ConnectionTap>();
  readonly #requests: Record<NodeName, ConstructorParameters<typeof ConnectionTap>[0]> = {
    a: new Map(),
    b: new Map(),
  };
  readonly #fronts: Partial<Record<NodeName, FrontWatch>> = {};
  readonly #underWay = new Map<TappedMessage, Happening>();
  #world: World | null = null;

  /** `block`: the one whose story is to be told. */
  constructor(block: number | null) {
    this.#block = block;
  }

  attend(world: World): void {
    this.#world = world;
    world.lan.observer = this;
    for (const node of ['a', 'b'] as const) {
      this.#fronts[node] = new FrontWatch(world.nodes[node].medium.visible, world.setup.extents);
    }
  }

  step(_index: number, step: Step): void {
    this.#tell('step', 'script', 'script', printAction(step.action));
  }

  issued(request: ClientRequest): void {
    this.#tell('request', 'application', request.node, this.#requestText(request), blocksOf(request));
  }

  answered(request: ClientRequest): void {
    const { error, command } = request;
    const told = error === null ? 'done' : `failed with ${error ?? 'nothing'}`;
    const found = command === 'read' && error === null ? `, ${this.#words(request.words)}` : '';
    const text = `${this.#requestText(request)}: ${told}${found}`;
    this.#tell('answer', request.node, 'application', text, blocksOf(request));
  }

  deviceAppeared(node: NodeName): void {
    this.#tell('device', node, 'application', 'the device is there');
  }

  deviceVanished(node: NodeName): void {
    this.#tell('device', node, 'application', 'the device is gone');
  }

  diskWritten(node: NodeName, offset: number, length: number): void {
    this.#tellFront(node);
    const world = this.#world;
    const start = world === null ? Infinity : world.view.dataOffset;
    if (world === null || offset + length <= start) return;
    const first = Math.max(0, (offset - start) / BLOCK_BYTES);
    const count = (offset + length - start) / BLOCK_BYTES - first;
    const words = Array.from({ length: count }, (_, i) => world.view.visible(node, first + i));
    this.#tell('written', node, diskOf(node), `${blockText(first, count)} = ${this.#names(words)}`, {
      first,
      count,
    });
  }

  diskFlushed(node: NodeName): void {
    this.#tell('flush', node, diskOf(node), 'flushed');
  }

  powerLost(node: NodeName): void {
    this.#tell('power', node, diskOf(node), 'what was not flushed may be lost');
    this.#tellFront(node);
  }

  created(node: NodeName): void {
    this.#tellFront(node);
  }

  event(node: NodeName, _role: Role, event: ResourceEvent): void {
    this.#tell('event', node, node, event);
  }

  hook(node: NodeName, args: readonly string[]): void {
    this.#tell('hook', node, node, `hook ${args.join(' ')}`, null, true);
  }

  workerStarted(node: NodeName, role: Role): void {
    this.#tell('worker', node, node, `a worker starts as ${role}`);
  }

  workerEnded(node: NodeName, orderly: boolean): void {
    this.#tell('worker', node, node, orderly ? 'the worker ends' : 'the worker is dead');
  }

  logged(node: NodeName, level: LogLevel, text: string): void {
    this.#tell('log', node, node, `${level}: ${text}`, null, !LEVELS.includes(level));
  }

  violated(violation: Violation): void {
    this.#tell('violation', 'script', 'script', `${violation.invariant}: ${violation.text}`);
  }

  opened(connection: Connection): void {
    const from = nodeNamed(connection.ends.from.name);
    if (from === null || connection.ends.to.name === from) return;
    this.#taps.set(connection, new ConnectionTap(this.#requests[from]));
    this.#tell(
      'connection',
      from,
      otherNode(from),
      `connection ${String(connection.number)} is open`,
      null,
      true,
    );
  }

  refused(connection: Connection): void {
    const from = nodeNamed(connection.ends.from.name);
    if (from !== null) this.#tell('connection', otherNode(from), from, 'connection refused');
  }

  closed(connection: Connection): void {
    const from = nodeNamed(connection.ends.from.name);
    if (!this.#taps.delete(connection) || from === null) return;
    this.#tell(
      'connection',
      from,
      otherNode(from),
      `connection ${String(connection.number)} is closed`,
      null,
      true,
    );
  }

  sent(channel: Channel, bytes: Uint8Array): void {
    for (const message of this.#tapOf(channel)?.sent(bytes) ?? [])
      this.#tellMessage('sent', channel, message);
  }

  delivered(channel: Channel, bytes: number): void {
    for (const message of this.#tapOf(channel)?.arrived(bytes) ?? []) {
      this.#tellMessage('arrived', channel, message);
    }
  }

  /** The blocks' contents in words: which write is there. */
  #names(words: readonly number[]): string {
    const names: string[] = [];
    for (const word of words) {
      const name = word === 0 ? 'zero' : this.#nameOf(word);
      if (names.at(-1) !== name) names.push(name);
    }
    return names.join(', ');
  }

  #nameOf(write: number): string {
    for (const [label, labelled] of this.#world?.client.labels ?? []) if (labelled === write) return label;
    return `#${String(write)}`;
  }

  #words(words: Uint32Array | null): string {
    if (words === null) return '';
    return this.#names(Array.from(words).filter((_, index) => index % (BLOCK_BYTES / 4) === 0));
  }

  #requestText({ command, block, count, write }: ClientRequest): string {
    if (command === 'flush') return 'flush';
    const name = command === 'write' ? ` = ${this.#nameOf(write)}` : '';
    return `${command} ${blockText(block, count)}${name}`;
  }

  #tapOf(channel: Channel): ChannelTap | null {
    const tap = this.#taps.get(channel.connection);
    if (tap === undefined) return null;
    return channel === channel.connection.there ? tap.there : tap.back;
  }

  #tellMessage(kind: 'sent' | 'arrived', channel: Channel, message: TappedMessage): void {
    const [from, to] = [nodeNamed(channel.link.from.name), nodeNamed(channel.link.to.name)];
    if (from === null || to === null) return;
    const { range, data, seq } = message;
    const blocks =
      range === null ? null : { first: range.offset / BLOCK_BYTES, count: range.length / BLOCK_BYTES };
    const where = blocks === null ? '' : ` ${blockText(blocks.first, blocks.count)}`;
    const what = data === null ? '' : ` = ${this.#words(new Uint32Array(data.buffer))}`;
    const number = seq === null ? '' : ` (${String(seq)})`;
    const text = `${message.text}${where}${what}${number}`;
    const happening = this.#tell(kind, from, to, text, blocks, message.kind === 'keepalive');
    if (kind === 'sent') {
      this.#underWay.set(message, happening);
      return;
    }
    const sending = this.#underWay.get(message);
    if (sending !== undefined) sending.arrivesMs = happening.atMs;
    this.#underWay.delete(message);
  }

  #tellFront(node: NodeName): void {
    for (const { kind, text } of this.#fronts[node]?.changes() ?? []) {
      this.#tell(kind, node, diskOf(node), `${kind} ${text}`);
    }
  }

  #tell(
    kind: HappeningKind,
    from: Party,
    to: Party,
    text: string,
    blocks: Happening['blocks'] = null,
    minor = false,
  ): Happening {
    const atMs = this.#world?.scheduler.nowMs ?? 0;
    const happening: Happening = { atMs, kind, from, to, text, blocks, minor, arrivesMs: null };
    this.happenings.push(happening);
    this.#remember(happening);
    return happening;
  }

  /** Adds to the story of the block what concerns it, and whatever has changed it. */
  #remember(happening: Happening): void {
    const block = this.#block;
    if (block === null || happening.minor) return;
    const states = { a: this.#state('a', block), b: this.#state('b', block) };
    const before = this.moments.at(-1)?.states;
    const changed = before === undefined || !sameState(before.a, states.a) || !sameState(before.b, states.b);
    if (changed || covers(happening, block) || FRAME.has(happening.kind))
      this.moments.push({ happening, states });
  }

  #state(node: NodeName, block: number): BlockState {
    const view = this.#world?.view;
    if (view === undefined) return { visible: '', durable: '', dirty: false };
    return {
      visible: this.#names([view.visible(node, block)]),
      durable: this.#names([view.durable(node, block)]),
      dirty: view.visibleBit(node, Math.floor(block / view.blocksPerExtent)),
    };
  }
}

/** What concerns every block. */
const FRAME: ReadonlySet<HappeningKind> = new Set([
  'step',
  'power',
  'worker',
  'device',
  'event',
  'metadata',
  'violation',
]);

export function covers({ blocks }: Happening, block: number): boolean {
  return blocks !== null && block >= blocks.first && block < blocks.first + blocks.count;
}

function sameState(one: BlockState, other: BlockState): boolean {
  return one.visible === other.visible && one.durable === other.durable && one.dirty === other.dirty;
}

function blockText(first: number, count: number): string {
  return count === 1 ? String(first) : `${String(first)}+${String(count)}`;
}

function blocksOf({ command, block, count }: ClientRequest): Happening['blocks'] {
  return command === 'flush' ? null : { first: block, count };
}

function diskOf(node: NodeName): Party {
  return node === 'a' ? 'disk a' : 'disk b';
}

function nodeNamed(name: string): NodeName | null {
  return name === 'a' || name === 'b' ? name : null;
}
