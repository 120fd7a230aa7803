/** GEOM gate devices of this process on a fake kernel. */
import { Turns } from '../../core/base/turns.js';
import { isPortError } from '../../core/ports/error.js';
import type { LogLevel } from '../../core/ports/log.js';
import { GgateDevices, openGgate } from '../../native/ggate/devices.js';
import { fakeAddon, Kernel } from './kernel.js';
import type { Application } from './kernel.js';

export const PROVIDER = 'shared0';

export class GgateWorld {
  readonly turns = new Turns();
  readonly logged: string[] = [];
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  static async start(...options: readonly string[]): Promise<GgateWorld> {
    return new GgateWorld(await Kernel.start(...options));
  }

  /** A worker's devices. */
  devices(provider = PROVIDER): GgateDevices {
    const addon = fakeAddon(this.#kernel);
    const opened = openGgate(addon, provider);
    if (isPortError(opened)) throw new Error(opened.message);
    const log = { write: (level: LogLevel, text: string) => this.logged.push(`${level} ${text}`) };
    return new GgateDevices({ turns: this.turns, log, addon }, opened);
  }

  /** An application, once the provider is there. */
  async connect(provider = PROVIDER): Promise<Application> {
    const application = await this.#kernel.application(provider);
    while ((await application.look()).unit < 0) await macrotask();
    return application;
  }

  application(provider = PROVIDER): Promise<Application> {
    return this.#kernel.application(provider);
  }

  run(callback: () => void): void {
    this.turns.run(callback);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await macrotask();
  }

  stop(): Promise<void> {
    return this.#kernel.stop();
  }
}

export function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
