/**
 * The way from one machine to another, in one direction (core/spec/faults.md section 4). A cut is silence, as when
 * packets vanish: what was under way waits, as TCP's retransmissions do, and arrives when the link is healed.
 */
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

export interface Latency {
  /** Every packet takes a random time in this range. */
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
}

export class Link {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #latency: Latency;
  /** Channels with a packet that waits for the link to be healed, once per packet. */
  #stalled: Channel[] = [];
  #cut = false;

  constructor(scheduler: Scheduler, random: Random, latency: Latency) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#latency = latency;
  }

  cut(): void {
    this.#cut = true;
  }

  heal(): void {
    this.#cut = false;
    for (const channel of this.#stalled) this.travel(channel);
    this.#stalled = [];
  }

  /** Advances the channel after a random time, or once the link is healed. */
  travel(channel: Channel): void {
    const { minLatencyMs, maxLatencyMs } = this.#latency;
    // Whole microseconds: sums of delays are the same on every engine.
    const delayMs = minLatencyMs + this.#random.below((maxLatencyMs - minLatencyMs) * 1000 + 1) / 1000;
    this.#scheduler.after(delayMs, () => {
      if (this.#cut) this.#stalled.push(channel);
      else channel.advance();
    });
  }

  /** Cuts what is sent at once into packets: mostly one, else at random places. */
  fragment(bytes: Uint8Array): Uint8Array[] {
    const fragments: Uint8Array[] = [];
    let rest = bytes;
    while (rest.length > 1 && this.#random.chance(1, 3)) {
      const head = 1 + this.#random.below(this.#random.chance(1, 4) ? 1 : rest.length - 1);
      fragments.push(rest.subarray(0, head));
      rest = rest.subarray(head);
    }
    fragments.push(rest);
    return fragments;
  }

  /** A reset may overtake what its receiver has not read yet. */
  discardsUnread(): boolean {
    return this.#random.chance(1, 2);
  }
}

/** One direction of one connection: packets arrive whole and in order, however long each one takes. */
export class Channel {
  readonly link: Link;
  readonly #underWay: (() => void)[] = [];

  constructor(link: Link) {
    this.link = link;
  }

  transmit(arrive: () => void): void {
    this.#underWay.push(arrive);
    this.link.travel(this);
  }

  /** One packet's time has come: the oldest arrives. */
  advance(): void {
    this.#underWay.shift()?.();
  }
}
