/**
 * One direction of one connection: a stream of bytes in packets that arrive in order, however long each one takes, and
 * the bytes that have arrived and were not read. All that happens at one time happens in one event. A packet is
 * an entry of a ring that is used again, its bytes are a part of one queue.
 */
import { ByteQueue } from './byte-queue.js';
import type { Connection } from './connection.js';
import type { Endpoint } from './endpoint.js';
import type { EventHandler } from './event-heap.js';
import type { Fuse, Link, Severance } from './link.js';
import type { Scheduler } from './scheduler.js';

/** `request`, `answer`, `refusal`: a connection comes to be, or not. `end`, `reset`: it ends. */
export type PacketKind = 'request' | 'answer' | 'refusal' | 'data' | 'end' | 'reset';

interface Packet {
  kind: PacketKind;
  bytes: number;
  arrivalMs: number;
}

/** Bytes sent and not read by the other end: send buffer, network and receive buffer together. */
const CAPACITY = 256 * 1024;
/** Bytes that arrive, in the trace hash. */
const ARRIVED_NOTE = 0x4e45_5400;

export class Channel implements EventHandler {
  readonly connection: Connection;
  readonly link: Link;
  sender: Endpoint | null = null;
  receiver: Endpoint | null = null;
  readonly #scheduler: Scheduler;
  readonly #bytes: ByteQueue;
  /** The oldest of `#bytes` have arrived, the newest have not left. */
  #arrivedBytes = 0;
  #unflushedBytes = 0;
  #senderWantsRoom = false;
  #packets: Packet[] = [newPacket(), newPacket()];
  #first = 0;
  #count = 0;
  /** When the newest packet arrives. */
  #lastArrivalMs = 0;
  /** The ticket of the arrival of the oldest packet; null: there is none, or it waits for something to be healed. */
  #next: number | null = null;
  #isCut = false;
  #fuse: Fuse | null = null;

  constructor(scheduler: Scheduler, connection: Connection, link: Link) {
    this.#scheduler = scheduler;
    this.connection = connection;
    this.link = link;
    this.#bytes = new ByteQueue(connection.lan.buffers);
  }

  /** What can be read. */
  get unreadBytes(): number {
    return this.#arrivedBytes;
  }

  /** As `Link.cut`, for this direction of this connection. */
  cut(): void {
    this.#isCut = true;
    this.#fuse = null;
  }

  /** As `Link.cutAfterBytes`, for this direction of this connection. */
  cutAfterBytes(bytes: number, then: Severance): void {
    this.#fuse = { bytesLeft: bytes, then };
  }

  /** Nothing passes, or soon will not, here alone. */
  get isFaulty(): boolean {
    return this.#isCut || this.#fuse !== null;
  }

  /** Undoes `cut` and `cutAfterBytes`. */
  heal(): void {
    this.#isCut = false;
    this.#fuse = null;
    this.resume();
  }

  /** Takes as much of `bytes` as there is room for, to leave with `flush`; the number of bytes taken. */
  write(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, CAPACITY - this.#bytes.length);
    this.#senderWantsRoom = taken < bytes.length;
    if (taken === 0) return 0;
    this.#bytes.push(bytes, taken);
    this.#unflushedBytes += taken;
    this.connection.lan.observer?.sent(this, taken === bytes.length ? bytes : bytes.subarray(0, taken));
    return taken;
  }

  /** What was written leaves: in one packet mostly. */
  flush(): void {
    let rest = this.#unflushedBytes;
    if (rest === 0) return;
    this.#unflushedBytes = 0;
    const { link } = this;
    if (rest > 1 && link.fragments()) {
      do {
        const bytes = link.fragmentBytes(rest);
        this.send('data', bytes);
        rest -= bytes;
      } while (rest > 1 && link.fragmentsAgain());
    }
    this.send('data', rest);
  }

  /** Sends a packet; one of `data` carries the next `bytes` bytes. */
  send(kind: PacketKind, bytes = 0): void {
    if (this.#count === this.#packets.length) this.#grow();
    const packet = this.#at(this.#count++);
    packet.kind = kind;
    packet.bytes = bytes;
    this.#launch(packet);
    if (this.#count === 1) this.#scheduleNext();
  }

  /** Moves what fits of the arrived bytes to `target`; their number. */
  read(target: Uint8Array): number {
    const taken = Math.min(target.length, this.#arrivedBytes);
    this.#bytes.take(target, taken);
    this.#took(taken);
    return taken;
  }

  /** Forgets what has arrived and was not read. */
  discardUnread(): void {
    this.#bytes.drop(this.#arrivedBytes);
    this.#took(this.#arrivedBytes);
  }

  /** Sends again what waits, if nothing is in its way any more. */
  resume(): void {
    if (this.#next === null && this.#count > 0 && !this.#isBlocked) this.resend();
  }

  /** The sender has forgotten everything: what waits is not sent again. */
  abandon(): void {
    if (this.#next === null) this.#count = 0;
  }

  /** Sends everything under way again, from now. */
  resend(): void {
    if (this.#next !== null) this.#scheduler.cancel(this.#next);
    this.#next = null;
    this.#lastArrivalMs = 0;
    for (let i = 0; i < this.#count; i++) this.#launch(this.#at(i));
    this.#scheduleNext();
  }

  /** The oldest packet is due. */
  happen(): void {
    this.#next = null;
    if (this.#isBlocked) return;
    this.#arriveAll();
    if (this.#next === null) this.#scheduleNext();
  }

  get #isBlocked(): boolean {
    if (this.link.isCut || this.#isCut || this.connection.isAstray) return true;
    return this.#at(0).kind === 'request' && !this.link.to.answers;
  }

  #launch(packet: Packet): void {
    const { link } = this;
    let arrivalMs = link.arrivalMs(this.#scheduler.nowMs, packet.bytes);
    if (packet.kind === 'end' || packet.kind === 'reset') arrivalMs += link.conditions.closeDelayMs;
    packet.arrivalMs = this.#lastArrivalMs = Math.max(arrivalMs, this.#lastArrivalMs);
  }

  #scheduleNext(): void {
    if (this.#count === 0) return;
    const delayMs = this.#at(0).arrivalMs - this.#scheduler.nowMs;
    // What is left of the packets of an event is late.
    this.#next = this.#scheduler.schedule(Math.max(0, delayMs), this);
  }

  /** Everything that arrives together with the oldest packet; bytes are told once. */
  #arriveAll(): void {
    const dueMs = this.#at(0).arrivalMs;
    let bytes = 0;
    while (this.#count > 0 && this.#at(0).arrivalMs <= dueMs) {
      const packet = this.#at(0);
      if (packet.kind === 'data') {
        const passing = this.#passing(packet.bytes);
        bytes += passing;
        packet.bytes -= passing;
        if (packet.bytes > 0) break;
        this.#shift();
      } else {
        const { kind } = packet;
        this.#shift();
        this.#deliver(bytes);
        bytes = 0;
        this.connection.arrived(this, kind);
      }
    }
    this.#deliver(bytes);
    this.#sever();
  }

  #deliver(bytes: number): void {
    if (bytes === 0) return;
    this.#arrivedBytes += bytes;
    this.#scheduler.note(ARRIVED_NOTE, this.connection.number, bytes);
    this.connection.lan.observer?.delivered(this, bytes);
    this.receiver?.received();
  }

  /** How many of `bytes` bytes pass the fuses. */
  #passing(bytes: number): number {
    return burn(this.link.fuse, burn(this.#fuse, bytes));
  }

  /** Blows the fuses that have let all their bytes pass. */
  #sever(): void {
    const { link, connection } = this;
    const own = this.#fuse;
    if (own?.bytesLeft === 0) {
      this.#fuse = null;
      if (own.then === 'cut') this.cut();
      else connection.reset();
    }
    const shared = link.fuse;
    if (shared?.bytesLeft === 0) {
      link.fuse = null;
      if (shared.then === 'cut') link.cut();
      else connection.lan.resetConnections(link.from, link.to);
    }
  }

  #took(bytes: number): void {
    this.#arrivedBytes -= bytes;
    if (!this.#senderWantsRoom || bytes === 0) return;
    this.#senderWantsRoom = false;
    this.sender?.user?.writable();
  }

  #at(index: number): Packet {
    // The ring's length is a power of two.
    return this.#packets[(this.#first + index) & (this.#packets.length - 1)] as Packet;
  }

  #shift(): void {
    this.#first = (this.#first + 1) & (this.#packets.length - 1);
    this.#count--;
  }

  #grow(): void {
    const packets: Packet[] = [];
    for (let i = 0; i < this.#count; i++) packets.push(this.#at(i));
    for (let i = 0; i < this.#count; i++) packets.push(newPacket());
    this.#packets = packets;
    this.#first = 0;
  }
}

function burn(fuse: Fuse | null, bytes: number): number {
  if (fuse === null) return bytes;
  const passing = Math.min(bytes, fuse.bytesLeft);
  fuse.bytesLeft -= passing;
  return passing;
}

function newPacket(): Packet {
  return { kind: 'data', bytes: 0, arrivalMs: 0 };
}
