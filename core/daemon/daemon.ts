/**
 * The main daemon of a node (core/spec/control.md section 9.1): it owns configuration, control socket, listening
 * sockets and roles, and one worker per active resource. Nothing here waits: every step that takes time is a
 * callback, so that a slow client, resolver or worker holds up nobody else (W30).
 *
 *   acceptor.ts        connections of peers, up to the secondary's worker
 *   control-server.ts  connections of hastctl
 *   managed-resource.ts  one resource: role, worker, restarts, hooks, its device's listening socket
 *   reload.ts          SIGHUP
 */
import { assert } from '../base/assert.js';
import type { Config } from '../config/types.js';
import type { Log } from '../ports/log.js';
import { PROTOCOL_VERSION } from '../wire/frame.js';
import { Access } from './access.js';
import { Acceptor } from './acceptor.js';
import { ControlServer } from './control-server.js';
import { ListeningSockets } from './listening.js';
import { ManagedResource } from './managed-resource.js';
import type { DaemonOptions, DaemonPorts, Failure } from './ports.js';
import { reload } from './reload.js';
import { Resources } from './resources.js';

/** Longer than the slowest worker may take before it is killed. */
const GIVE_UP_MS = 150_000;

export class Daemon {
  /** For those who look at a simulated daemon from outside; hastctl comes through the control socket. */
  readonly resources = new Resources();
  readonly #ports: DaemonPorts;
  readonly #options: DaemonOptions;
  readonly #log: Log;
  readonly #acceptor: Acceptor;
  readonly #controlServer: ControlServer;
  readonly #sockets: ListeningSockets;
  #config: Config;
  #life: 'new' | 'starting' | 'running' | 'ending' = 'new';
  #reloading = false;
  #reloadAgain = false;

  /** `config` is what hast.conf said at start; the daemon does nothing before `start`. */
  constructor(ports: DaemonPorts, options: DaemonOptions, config: Config) {
    this.#ports = ports;
    this.#options = options;
    this.#config = config;
    this.#log = ports.logFor('');
    this.#acceptor = new Acceptor(ports, this.resources, new Access(ports.clock, ports.network));
    this.#controlServer = new ControlServer(ports, this.resources, options.mayCommand);
    this.#sockets = new ListeningSockets(ports.network, this.#log, {
      control: (socket) => this.#controlServer.accept(socket),
      peer: (socket) => this.#acceptor.accept(socket),
    });
    for (const resource of config.resources)
      this.resources.append(new ManagedResource(ports, options.exportAddress, resource));
  }

  /**
   * Binds the control address and every listen address; `done` gets the first failure, with nothing left bound, or
   * null. `done(null)` comes before the first line of a daemon's log: detach from the terminal and write the
   * pidfile there (core/spec/cli.md section 9, steps 7 to 11). Not called when `stop` comes first.
   */
  start(done: (failure: Failure | null) => void): void {
    assert(this.#life === 'new', 'a daemon starts once');
    this.#life = 'starting';
    this.#sockets.open(this.#config, (failure) => {
      done(failure);
      if (failure === null) this.#started();
    });
  }

  /** SIGHUP (core/spec/config.md section 7). A reload asked for while one is going on runs after it. */
  reload(): void {
    if (this.#life === 'starting' || this.#reloading) this.#reloadAgain = true;
    if (this.#life !== 'running' || this.#reloading) return;
    this.#reloading = true;
    const { resources } = this;
    const reloadable = { ports: this.#ports, options: this.#options, sockets: this.#sockets, resources };
    reload(reloadable, this.#config, (config) => {
      this.#config = config;
      this.#reloading = false;
      this.#reloadIfAsked();
    });
  }

  /**
   * SIGTERM, SIGINT: every worker is stopped; `done` once all are gone, with their devices, and all sockets are
   * closed, the control socket last. Only the first call counts.
   */
  stop(done: () => void): void {
    if (this.#life === 'ending') return;
    this.#life = 'ending';
    this.#log.write('info', 'Termination signal received, exiting.');
    this.#sockets.closePeers();
    this.#acceptor.close();
    this.#controlServer.close();
    for (const { name, role, workerPid } of this.resources.withWorkers()) {
      const text = `Terminating worker process (resource=${name}, role=${role}, pid=${workerPid}).`;
      this.#log.write('info', text);
    }
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      giveUp.cancel();
      this.#sockets.close();
      done();
    };
    const giveUp = this.#ports.clock.after(GIVE_UP_MS, () => {
      this.#log.write('error', 'Worker processes are still there although they were killed.');
      end();
    });
    this.resources.shutDown(end);
  }

  #started(): void {
    if (this.#life !== 'starting') return;
    this.#life = 'running';
    this.#log.write('info', `Started successfully, running protocol version ${PROTOCOL_VERSION}.`);
    this.#log.write('debug1', `Listening on control address ${this.#config.control}.`);
    for (const address of this.#config.listen) this.#log.write('info', `Listening on address ${address}.`);
    for (const resource of this.resources.all()) resource.begin();
    this.#reloadIfAsked();
  }

  #reloadIfAsked(): void {
    if (!this.#reloadAgain) return;
    this.#reloadAgain = false;
    this.reload();
  }
}
