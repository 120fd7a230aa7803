/**
 * One resource as the main daemon sees it: its role, its worker, the device's listening socket
 * (core/spec/replication.md section 1, core/spec/cli.md section 10).
 *
 *   role commands and configuration changes   one after another, each waits for the old worker's exit
 *   worker of a primary                       started with the role, restarted after a crash
 *   worker of a secondary                     started for each session, when no other worker is left
 */
import type { ResourceConfig } from '../config/types.js';
import type { Timer } from '../ports/clock.js';
import { isPortError, portError, type PortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';
import type { DetachedSocket } from '../ports/network.js';
import type { Assignment } from '../ports/workers.js';
import type { StatusReport } from '../control/replies.js';
import { EXIT_TEMPFAIL, type ResourceEvent, type Role } from '../resource/types.js';
import { ConditionReports } from './condition-reports.js';
import { ExportListener } from './export-listener.js';
import type { DaemonOptions, DaemonPorts } from './ports.js';
import { changeOf } from './resource-change.js';
import { RestartBackoff } from './restart-backoff.js';
import { SerialQueue } from './serial-queue.js';
import { WorkerRun, type WorkerEnd } from './worker-run.js';

/** A worker that leaves its role may have to wait for its peer (`timeout`) before it has drained. */
const STOP_EXTRA_MS = 10_000;
const LONGEST_STOP_MS = 120_000;
/** A secondary's worker that a new session replaces: the primary behind it waits for our answer. */
const LONGEST_REPLACE_MS = 10_000;
const STATUS_LIMIT_MS = 5_000;

/** Both connections of a primary that has shown the right token. */
export interface Session {
  readonly version: number;
  /** The nv list of handshake 2. */
  readonly handshake: Uint8Array;
  /** Gives both connections away. */
  detach(): { readonly connA: DetachedSocket; readonly connB: DetachedSocket };
  /** Closes both. */
  drop(): void;
}

/** What the daemon knows of a resource, and its worker's answer. */
export type ResourceStatus = Omit<StatusReport, 'kind'>;

export class ManagedResource {
  readonly name: string;
  readonly #ports: DaemonPorts;
  readonly #exportAddress: DaemonOptions['exportAddress'];
  readonly #commands = new SerialQueue();
  readonly #backoff = new RestartBackoff();
  readonly #conditions: ConditionReports;
  #config: ResourceConfig;
  #role: Role = 'init';
  #forced = false;
  #run: WorkerRun | null = null;
  #restart: Timer | null = null;
  #session: Session | null = null;
  #export: ExportListener | null = null;
  /** The present worker offers its device. */
  #exported = false;
  #shutDown = false;

  constructor(ports: DaemonPorts, exportAddress: DaemonOptions['exportAddress'], config: ResourceConfig) {
    this.name = config.name;
    this.#ports = ports;
    this.#exportAddress = exportAddress;
    this.#config = config;
    this.#conditions = new ConditionReports(ports.clock);
  }

  get config(): ResourceConfig {
    return this.#config;
  }

  get role(): Role {
    return this.#role;
  }

  /** 0 without a worker. */
  get workerPid(): number {
    return this.#run?.pid ?? 0;
  }

  get hasWorker(): boolean {
    return this.#run !== null;
  }

  /** With the prefix that belongs to this resource now. */
  log(): Log {
    return this.#ports.logFor(`[${this.name}] (${this.#role}) `);
  }

  /** The daemon has this node for itself: a device that an earlier one has left serves nobody any more (W34). */
  begin(): void {
    this.#commands.add((finished) => {
      this.#removeLeftDevice(finished);
    });
  }

  /**
   * `done` gets the role before the command, once the old role's worker is gone; a new primary may not be ready yet.
   * `force` lets a primary serve an incomplete copy (W8); it also restarts one that waits for its source.
   */
  setRole(role: Role, force: boolean, done: (previous: Role) => void): void {
    this.#commands.add((finished) => {
      const previous = this.#role;
      const end = (): void => {
        done(previous);
        finished();
      };
      if (role !== previous) this.#changeRole(role, force, end);
      else if (role === 'primary' && force && !this.#forced && !this.#exported) this.#restartForced(end);
      else end();
    });
  }

  /**
   * A reload found other values (core/spec/config.md section 7). `begun` is called when it is known what they need;
   * `done` when they are in effect.
   */
  reconfigure(config: ResourceConfig, begun: (change: 'live' | 'restart') => void, done: () => void): void {
    this.#commands.add((finished) => {
      const end = (): void => {
        done();
        finished();
      };
      const change = changeOf(this.#config, config, this.#role);
      if (change === 'none') return end();
      begun(change);
      if (change === 'live') {
        this.#config = config;
        if (this.#run?.stopping === false) this.#run.reload(config);
        return end();
      }
      const role = this.#role;
      const force = this.#forced;
      const replace = (): void => {
        this.#config = config;
        if (role === 'init') end();
        else this.#changeRole(role, force, end);
      };
      if (role === 'init') replace();
      else this.#changeRole('init', false, replace);
    });
  }

  /** The worker's answer, or ENOTCONN or ETIMEDOUT when it cannot tell. Waits for no role command. */
  status(done: (status: ResourceStatus | PortError) => void): void {
    const run = this.#run;
    const own = { resource: this.#config, role: this.#role, workerpid: this.workerPid };
    if (run === null || run.stopping) {
      done({ ...own, worker: null });
      return;
    }
    let answered = false;
    const answer = (status: ResourceStatus | PortError): void => {
      if (answered) return;
      answered = true;
      limit.cancel();
      done(status);
    };
    const limit = this.#ports.clock.after(STATUS_LIMIT_MS, () => {
      this.log().write(
        'error',
        `Worker process ${run.pid} did not answer within ${STATUS_LIMIT_MS / 1000}s.`,
      );
      answer(portError('ETIMEDOUT', 'the worker does not answer'));
    });
    run.status((error, worker) => {
      if (worker !== null) answer({ ...own, workerpid: run.pid, worker });
      else answer(portError('ENOTCONN', error ?? 'the worker is gone'));
    });
  }

  /** A primary has proven itself: whoever holds the resource makes room for it. Only in role secondary. */
  open(session: Session): void {
    this.#session?.drop();
    this.#session = session;
    if (this.#run === null) this.#startSecondary();
    else if (!this.#run.stopping) this.#run.stop(this.#replaceLimitMs(), () => undefined);
  }

  /** A connection of `session` is gone before the session began. */
  lost(session: Session): void {
    if (this.#session === session) this.#session = null;
  }

  /** A peer that acts as primary asked this primary to be its secondary (W31). */
  peerIsPrimary(): void {
    this.#event('dual-primary');
  }

  /** The daemon ends: no worker is started from now on; `gone` once the last one has left. */
  shutDown(gone: () => void): void {
    this.#shutDown = true;
    this.#leaveRole();
    this.#stopWorker(() => {
      if (this.#role === 'primary') this.#removeLeftDevice(gone);
      else gone();
    });
  }

  #changeRole(role: Role, force: boolean, done: () => void): void {
    if (this.#shutDown) return done();
    const previous = this.#role;
    this.log().write('info', `Role changed to ${role}.`);
    this.#role = role;
    this.#forced = role === 'primary' && force;
    this.#backoff.reset();
    this.#leaveRole();
    this.#stopWorker(() => {
      // Not before: what its last events tell is not new.
      this.#conditions.clear();
      this.#removeLeftDevice(() => {
        if (role === 'primary') this.#startPrimary();
        this.#hook('role', previous, role);
        done();
      });
    });
  }

  /**
   * A worker removes its device itself when it ends in order. What a dead one has left is for the next worker of the same
   * primary only: its requests may not be carried out after another node was primary (W34).
   */
  #removeLeftDevice(gone: () => void): void {
    const { leftDevices } = this.#ports;
    if (leftDevices === undefined) return gone();
    leftDevices.remove(this.#config.provname, (error) => {
      if (error !== null) {
        const text = `Unable to destroy hast/${this.#config.provname} device: ${error.message}.`;
        this.log().write('warning', text);
      }
      gone();
    });
  }

  #restartForced(done: () => void): void {
    this.#forced = true;
    this.#restart?.cancel();
    this.#restart = null;
    this.#stopWorker(() => {
      this.#startPrimary();
      done();
    });
  }

  /** What does not wait for the worker. */
  #leaveRole(): void {
    this.#restart?.cancel();
    this.#restart = null;
    this.#session?.drop();
    this.#session = null;
    this.#export?.close();
    this.#export = null;
    this.#exported = false;
  }

  #stopWorker(gone: () => void): void {
    if (this.#run === null) gone();
    else this.#run.stop(this.#stopLimitMs(), gone);
  }

  #stopLimitMs(): number {
    return Math.min(this.#config.timeout * 1000 + STOP_EXTRA_MS, LONGEST_STOP_MS);
  }

  #replaceLimitMs(): number {
    return Math.min(this.#config.timeout * 500, LONGEST_REPLACE_MS);
  }

  #startPrimary(): void {
    if (this.#shutDown) return;
    const recovers = this.#export !== null;
    this.#startWorker({ role: 'primary', resource: this.#config, force: this.#forced, recovers });
  }

  /** For the session that waits, if one does. */
  #startSecondary(): void {
    const session = this.#session;
    if (session === null || this.#shutDown) return;
    this.#session = null;
    const { version, handshake } = session;
    this.#startWorker({ role: 'secondary', resource: this.#config, version, handshake, ...session.detach() });
  }

  #startWorker(assignment: Assignment): void {
    this.#exported = false;
    this.#run = new WorkerRun(this.#ports.clock, this.#ports.workers, assignment, {
      event: (event) => {
        this.#event(event);
      },
      exported: (provider) => {
        this.#offer(provider);
      },
      ended: (run, end) => {
        this.#ended(run, end);
      },
      log: () => this.log(),
    });
  }

  #ended(run: WorkerRun, end: WorkerEnd): void {
    this.#run = null;
    this.#exported = false;
    this.#export?.hold();
    if (run.role === 'primary' && !run.stopping) this.#primaryEnded(run, end);
    this.#startSecondary();
  }

  #primaryEnded(run: WorkerRun, end: WorkerEnd): void {
    if ('code' in end && end.code !== EXIT_TEMPFAIL) {
      this.#fallBack();
      return;
    }
    this.#restart = this.#ports.clock.after(this.#backoff.delayAfter(run.livedMs), () => {
      this.#restart = null;
      this.log().write('info', 'Restarting worker process.');
      this.#startPrimary();
    });
  }

  /** The worker says that this node cannot be primary; unlike the reference we tell the hook (W36). */
  #fallBack(): void {
    this.log().write('info', 'Changing resource role back to init.');
    this.#role = 'init';
    this.#conditions.clear();
    this.#leaveRole();
    this.#hook('role', 'primary', 'init');
    this.begin();
  }

  /** The worker's device is ready. */
  #offer(provider: string): void {
    this.#exported = true;
    // The operator's word was for the copy as it was: a restarted worker judges anew.
    this.#forced = false;
    const address = this.#exportAddress(provider);
    if (address === null) return;
    if (isPortError(address)) {
      this.#unreachable(address.message);
      return;
    }
    this.#export ??= this.#listen(address);
    this.#export.serve((client) => {
      this.#run?.attach(client);
    });
  }

  #listen(address: string): ExportListener {
    return new ExportListener(this.#ports.network, address, (error) => {
      this.#unreachable(`Unable to listen on export address ${address}: ${error.message}.`);
    });
  }

  /** A primary whose device nobody can reach is none; as if its worker had exited with 71. */
  #unreachable(why: string): void {
    this.log().write('error', why);
    this.setRole('init', false, () => undefined);
  }

  #event(event: ResourceEvent): void {
    switch (event) {
      case 'split-brain':
      case 'mismatch':
      case 'dual-primary':
        this.#condition(event);
        return;
      case 'connect':
        this.#conditions.clear();
        break;
      default:
        break;
    }
    this.#hook(event);
  }

  #condition(condition: 'split-brain' | 'mismatch' | 'dual-primary'): void {
    const seen = this.#conditions.seen(condition);
    if (seen === 'known') return;
    const text = {
      'split-brain': 'Split-brain: both nodes have changes that the other one lacks.',
      mismatch: 'The nodes do not hold the same resource.',
      'dual-primary': 'Both nodes act as primary.',
    }[condition];
    this.log().write('warning', seen === 'begins' ? text : `${text} (still)`);
    if (seen === 'begins') this.#hook(condition);
  }

  #hook(event: string, ...details: readonly string[]): void {
    if (this.#config.exec !== '') this.#ports.hooks.run(this.#config.exec, [event, this.name, ...details]);
  }
}
