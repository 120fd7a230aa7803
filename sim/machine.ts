/**
 * A simulated machine: what its processes share and what of it survives them. Processes die one by one, or all at
 * once with the power; media and host name stay.
 */
import { SimClock } from './clock.js';
import type { SimMedium } from './medium.js';
import { SimEntropy } from './entropy.js';
import type { Host, Lan } from './lan.js';
import { SimLog } from './log.js';
import { SimNetwork } from './network.js';
import { SimProcess } from './process.js';
import { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/** A process with the ports that every process has. */
export interface Booted {
  readonly process: SimProcess;
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly entropy: SimEntropy;
  readonly log: SimLog;
}

export class SimMachine {
  readonly name: string;
  readonly #scheduler: Scheduler;
  readonly #lan: Lan;
  readonly #host: Host;
  readonly #media: readonly SimMedium[];
  readonly #random: Random;
  readonly #processes = new Set<SimProcess>();
  /** What ends the pauses; most have ended long ago. */
  #pauses: (() => void)[] = [];

  constructor(scheduler: Scheduler, lan: Lan, host: Host, media: readonly SimMedium[], seed: number) {
    this.name = host.name;
    this.#scheduler = scheduler;
    this.#lan = lan;
    this.#host = host;
    this.#media = media;
    this.#random = new Random(seed, `entropy ${host.name}`);
  }

  /** Starts a process. */
  boot(name: string): Booted {
    const process = new SimProcess(`${this.name}/${name}`, this.#scheduler.newLane());
    this.#processes.add(process);
    process.onDeath(() => this.#processes.delete(process));
    return {
      process,
      clock: new SimClock(this.#scheduler, process),
      network: new SimNetwork(this.#scheduler, this.#lan, this.#host, process),
      entropy: new SimEntropy(this.#random),
      log: new SimLog(),
    };
  }

  /** Some process is stopped. */
  get isPaused(): boolean {
    for (const process of this.#processes) if (process.paused) return true;
    return false;
  }

  /** Stops every process for a while; virtual time, the network and the disks go on. */
  pause(durationMs: number): void {
    for (const process of this.#processes) this.pauseProcess(process, durationMs);
  }

  /** Stops one process for a while, or until `resume`. */
  pauseProcess(process: SimProcess, durationMs: number): void {
    const goOn = process.pause();
    this.#pauses.push(goOn);
    this.#scheduler.after(durationMs, goOn);
  }

  /** All pauses are over. */
  resume(): void {
    for (const goOn of this.#pauses) goOn();
    this.#pauses = [];
  }

  /** Everything dies at once; media lose what was not flushed and connections become half open. */
  losePower(): void {
    for (const process of [...this.#processes]) process.losePower();
    for (const medium of this.#media) medium.losePower();
    this.#host.losePower();
  }

  powerOn(): void {
    this.#host.powerOn();
  }
}
