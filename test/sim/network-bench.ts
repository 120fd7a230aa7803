/** Two machines on a network, and handlers that keep what they hear. */
import { expect } from 'vitest';
import type { PortError } from '../../core/ports/error.js';
import type { Socket, SocketHandler } from '../../core/ports/network.js';
import { Lan } from '../../sim/lan.js';
import { type Booted, SimMachine } from '../../sim/machine.js';
import { Scheduler } from '../../sim/scheduler.js';

export const ADDRESS = 'tcp4://10.0.0.2:8457';

export class Peer implements SocketHandler {
  readonly received: number[] = [];
  /** How many bytes came in each turn, and when. */
  readonly deliveries: { bytes: number; atMs: number }[] = [];
  readonly events: string[] = [];
  readonly eventTimesMs: number[] = [];
  sentBytes = 0;
  socket: Socket | null = null;
  readonly #bench: NetworkBench;
  readonly booted: Booted;
  readonly #target = new Uint8Array(7);
  #turnBytes = 0;

  constructor(bench: NetworkBench, booted: Booted) {
    this.#bench = bench;
    this.booted = booted;
  }

  send(...chunks: Uint8Array[]): void {
    this.booted.process.run(() => this.socket?.send(chunks));
  }

  resume(): void {
    this.booted.process.run(() => this.socket?.resume());
  }

  destroy(): void {
    this.booted.process.run(() => this.socket?.destroy());
  }

  connected(): void {
    this.#happened('connected');
  }

  target(): Uint8Array {
    return this.#target;
  }

  filled(bytes: number): void {
    this.received.push(...this.#target.subarray(0, bytes));
    if (this.#turnBytes === 0) {
      this.booted.process.turns.atEnd(() => {
        this.deliveries.push({ bytes: this.#turnBytes, atMs: this.#bench.scheduler.nowMs });
        this.#turnBytes = 0;
      });
    }
    this.#turnBytes += bytes;
  }

  sent(totalBytes: number): void {
    this.sentBytes = totalBytes;
  }

  closed(error: PortError | null): void {
    this.#happened(error === null ? 'closed' : error.code);
  }

  #happened(event: string): void {
    this.events.push(event);
    this.eventTimesMs.push(this.#bench.scheduler.nowMs);
  }
}

/** A main process on each of two machines, `a` and `b`; the one on `b` listens at ADDRESS unless told otherwise. */
export class NetworkBench {
  readonly scheduler = new Scheduler();
  readonly lan: Lan;
  readonly a: SimMachine;
  readonly b: SimMachine;
  readonly mainA: Booted;
  readonly mainB: Booted;
  /** Everybody that was accepted. */
  readonly accepted: Peer[] = [];

  constructor(seed = 1, address: string | null = ADDRESS) {
    this.lan = new Lan(this.scheduler, seed);
    const machine = (name: string, ip: string): SimMachine =>
      new SimMachine(this.scheduler, this.lan, this.lan.addHost(name, [ip]), [], seed);
    this.a = machine('a', '10.0.0.1');
    this.b = machine('b', '10.0.0.2');
    this.mainA = this.a.boot('main');
    this.mainB = this.b.boot('main');
    if (address !== null) this.listen(address);
  }

  listen(address: string): void {
    const { process, network } = this.mainB;
    const accept = (socket: Socket): Peer => {
      const peer = new Peer(this, this.mainB);
      peer.socket = socket;
      socket.resume();
      this.accepted.push(peer);
      return peer;
    };
    process.run(() => {
      network.listen(address, accept, (error) => {
        expect(error).toBeNull();
      });
    });
    this.scheduler.runFor(1);
  }

  dial(remote = ADDRESS): Peer {
    const peer = new Peer(this, this.mainA);
    this.mainA.process.run(() => {
      peer.socket = this.mainA.network.dial(remote, null, peer);
    });
    return peer;
  }

  /** A connection from a to b. */
  connect(remote = ADDRESS): { dialled: Peer; accepted: Peer } {
    const before = this.accepted.length;
    const dialled = this.dial(remote);
    this.run(100);
    const accepted = this.accepted[before];
    if (accepted === undefined) throw new Error('not accepted');
    expect(dialled.events).toEqual(['connected']);
    return { dialled, accepted };
  }

  run(durationMs: number): void {
    this.scheduler.runFor(durationMs);
  }
}
