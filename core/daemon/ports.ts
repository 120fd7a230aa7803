/**
 * What the main daemon needs from the world and from the program around it (cli/hastd, or the simulator).
 */
import type { Config } from '../config/types.js';
import type { Clock } from '../ports/clock.js';
import type { LeftDevices } from '../ports/device.js';
import type { Entropy } from '../ports/entropy.js';
import type { PortError } from '../ports/error.js';
import type { Hooks } from '../ports/hooks.js';
import type { Log } from '../ports/log.js';
import type { Network } from '../ports/network.js';
import type { Workers } from '../ports/workers.js';

export interface DaemonPorts {
  readonly clock: Clock;
  readonly network: Network;
  readonly workers: Workers;
  readonly hooks: Hooks;
  readonly entropy: Entropy;
  /** Missing: a device ends with its worker. */
  readonly leftDevices?: LeftDevices;
  /** The log that puts `prefix` in front of every text: '' or `[NAME] (ROLE) ` (core/spec/cli.md section 8). */
  readonly logFor: (prefix: string) => Log;
}

export interface DaemonOptions {
  /** Reads the same hast.conf again, for a reload. */
  readonly parse: () => Config | Failure;
  /**
   * Where clients of the device of `provider` connect to (an address of core/spec/config.md section 3), or why they
   * cannot; `message` is ready for the log. Null: they use it without our help.
   */
  readonly exportAddress: (provider: string) => string | null | PortError;
  /** Whether this user of the system may command the daemon. */
  readonly mayCommand: (uid: number) => boolean;
  /** A reload wants another pidfile. Whoever holds it switches, or warns and keeps the old one. */
  readonly pidfileChanged: (path: string) => void;
}

/** Why the daemon cannot start or the configuration cannot be used; `text` is ready for the log (level error). */
export interface Failure {
  /** sysexits number (core/spec/cli.md section 9, config.md section 6). */
  readonly exitCode: number;
  readonly text: string;
}
