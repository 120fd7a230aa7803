/**
 * The main daemon of a node in its process (core/spec/cli.md section 9): start-up in the reference's order with its
 * exit statuses, then signals, until the core says that everything has ended. What a daemon decides is in
 * core/daemon; this connects it to the system.
 */
import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { unreachable } from '../../core/base/assert.js';
import { Turns } from '../../core/base/turns.js';
import type { Config } from '../../core/config/types.js';
import { Daemon } from '../../core/daemon/daemon.js';
import type { DaemonPorts, Failure } from '../../core/daemon/ports.js';
import type { Entropy } from '../../core/ports/entropy.js';
import type { LogLevel } from '../../core/ports/log.js';
import type { Network } from '../../core/ports/network.js';
import { RealClock } from '../../native/clock.js';
import { errorText } from '../../native/errors.js';
import { ProgramHooks } from '../../native/hooks.js';
import { prefixedLog, ProcessLog } from '../../native/log.js';
import type { LogSink } from '../../native/log.js';
import { openPidfile } from '../../native/pidfile.js';
import type { LockDescriptor, Pidfile } from '../../native/pidfile.js';
import type { UserIds, WorkerUser } from '../../native/privileges.js';
import { prepareRunDirectory } from '../../native/run-directory.js';
import { byteText, systemText } from '../../native/text.js';
import type { DeviceKind } from '../../native/worker/messages.js';
import { WorkerProcesses } from '../../native/worker/workers.js';
import { isConfigFailure, readConfig } from '../config-file.js';
import type { ConfigSource } from '../config-file.js';
import { EX_CONFIG, EX_OK, EX_OSERR, EX_SOFTWARE, EX_TEMPFAIL } from '../exit-codes.js';
import { chooseDevice } from './device-kind.js';
import type { Ggate } from './device-kind.js';
import { tcpExports, unixExports } from './export-addresses.js';
import type { ExportAddresses } from './export-addresses.js';
import { GuardedNetwork } from './guarded-network.js';
import type { HastdOptions } from './options.js';
import type { Starter } from './startup.js';

/** What the operating system gives to a main daemon. */
export interface System {
  readonly lock: LockDescriptor;
  readonly entropy: Entropy;
  /** What this system lacks and how we do without, for the log. */
  readonly shortcomings: readonly string[];
  readonly ggate: Ggate;
  network(turns: Turns): Network;
  /** Whom workers become; null: nobody in particular was asked for. */
  workerUser(wanted: string | null): WorkerUser;
  syslog(): LogSink;
}

/** What was found out before the daemon starts. */
interface Chosen {
  /** Whom workers become; null: nobody else. */
  readonly user: UserIds | null;
  readonly device: DeviceKind;
}

const PATH_LIMIT = 1023;
const ROOT = 0;

export class HastdHost {
  readonly #options: HastdOptions;
  readonly #starter: Starter;
  readonly #system: System;
  readonly #turns = new Turns();
  readonly #log: ProcessLog;
  #pidfile: Pidfile | null = null;
  /** What the log is told when there is one. */
  readonly #remarks: { readonly level: LogLevel; readonly text: string }[] = [];
  #isReady = false;

  constructor(options: HastdOptions, starter: Starter, system: System) {
    this.#options = options;
    this.#starter = starter;
    this.#system = system;
    this.#log = new ProcessLog(options.debugLevel, starter.sink);
  }

  /** Goes through the steps; a failure ends the process with its status, after a message. */
  run(): void {
    process.on('uncaughtException', (error) => {
      this.#survive(error);
    });
    const source = this.#configSource();
    if ('exitCode' in source) {
      this.#fail(source);
      return;
    }
    const config = readConfig(source);
    if (isConfigFailure(config)) {
      this.#fail(config);
      return;
    }
    const user = this.#workerUser();
    if ('exitCode' in user) {
      this.#fail(user);
      return;
    }
    const refusal = this.#prepareRunDirectory() ?? this.#takePidfile(this.#options.pidfile ?? config.pidfile);
    if (refusal !== null) {
      this.#fail(refusal);
      return;
    }
    const device = this.#deviceKind();
    if (typeof device === 'string') this.#startDaemon(source, config, { user: user.ids, device });
    else this.#fail(device);
  }

  #deviceKind(): DeviceKind | Failure {
    const choice = chooseDevice(this.#options, this.#system.ggate);
    if ('exitCode' in choice) return choice;
    if (choice.remark !== null) this.#remarks.push({ level: 'info', text: choice.remark });
    return choice.kind;
  }

  #workerUser(): { readonly ids: UserIds | null } | Failure {
    const user = this.#system.workerUser(this.#options.user);
    switch (user.kind) {
      case 'other':
        return user;
      case 'same':
        this.#remarks.push({ level: user.level, text: user.remark });
        return { ids: null };
      case 'unknown':
        return { exitCode: EX_CONFIG, text: `There is no user ${user.name} (--user).` };
      default:
        return unreachable(user);
    }
  }

  #prepareRunDirectory(): Failure | null {
    const { runDir } = this.#options;
    const error = prepareRunDirectory(runDir);
    if (error === null) return null;
    return { exitCode: EX_OSERR, text: `Unable to use run directory ${runDir}: ${error.message}.` };
  }

  /** A daemon leaves its directory and reads the file again later, so the path has to be absolute. */
  #configSource(): ConfigSource | Failure {
    const { configPath, node, runDir } = this.#options;
    if (isAbsolute(configPath)) return { path: configPath, node, runDir };
    try {
      return { path: byteText(realpathSync(systemText(configPath))), node, runDir };
    } catch (error) {
      return {
        exitCode: EX_CONFIG,
        text: `Unable to obtain full path of ${configPath}: ${errorText(error)}.`,
      };
    }
  }

  #takePidfile(path: string): Failure | null {
    if (this.#options.foreground && this.#options.pidfile === null) return null;
    if (path.length > PATH_LIMIT) return { exitCode: EX_CONFIG, text: 'Pidfile path is too long.' };
    const opening = openPidfile(path, this.#system.lock);
    switch (opening.kind) {
      case 'held':
        this.#pidfile = opening.pidfile;
        return null;
      case 'running': {
        const text = `Another hastd is already running, pidfile: ${path}, pid: ${opening.pid}.`;
        return { exitCode: EX_TEMPFAIL, text };
      }
      case 'failed':
        this.#log.write('warning', `Unable to open or create pidfile ${path}: ${opening.error.message}.`);
        return null;
      default:
        return unreachable(opening);
    }
  }

  #startDaemon(source: ConfigSource, config: Config, chosen: Chosen): void {
    const { pidfile, foreground } = this.#options;
    const daemon = new Daemon(
      this.#ports(chosen),
      {
        parse: () => readConfig(source),
        exportAddress: chosen.device === 'ggate' ? () => null : this.#nbdExports(config),
        mayCommand: (uid) => uid === ROOT || uid === process.geteuid?.(),
        pidfileChanged: (path) => {
          if (!foreground && pidfile === null) this.#switchPidfile(path);
        },
      },
      config,
    );
    this.#obeySignals(daemon);
    this.#turns.run(() => {
      daemon.start((failure) => {
        if (failure === null) this.#ready();
        else this.#fail(failure);
      });
    });
  }

  #nbdExports(config: Config): ExportAddresses {
    const { nbd, runDir } = this.#options;
    const providers = config.resources.map(({ provname }) => provname);
    return nbd === null ? unixExports(runDir) : tcpExports(nbd, providers);
  }

  #ports({ user, device }: Chosen): DaemonPorts {
    const { debugLevel, foreground, maxRequestBytes } = this.#options;
    const [turns, log] = [this.#turns, this.#log];
    const clock = new RealClock(turns);
    return {
      clock,
      network: new GuardedNetwork(this.#system.network(turns), log),
      workers: new WorkerProcesses({
        turns,
        log,
        settings: { debugLevel, foreground, user, maxRequestBytes, device },
      }),
      hooks: new ProgramHooks({ clock, log, foreground }),
      entropy: this.#system.entropy,
      ...(device === 'ggate' ? { leftDevices: this.#system.ggate.leftDevices(turns) } : {}),
      logFor: (prefix) => prefixedLog(log, prefix),
    };
  }

  #obeySignals(daemon: Daemon): void {
    process.on('SIGHUP', () => {
      this.#turns.run(() => {
        daemon.reload();
      });
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        this.#turns.run(() => {
          daemon.stop(() => process.exit(EX_OK));
        });
      });
    }
  }

  /** Everything is bound: leave the terminal, tell who we are, let the launcher go. */
  #ready(): void {
    if (!this.#options.foreground) {
      process.chdir('/');
      this.#log.redirect(this.#system.syslog());
    }
    if (this.#pidfile !== null) this.#writePid(this.#pidfile);
    for (const text of this.#system.shortcomings) this.#log.write('info', text);
    for (const { level, text } of this.#remarks) this.#log.write(level, text);
    this.#isReady = true;
    this.#starter.ready();
  }

  #writePid(pidfile: Pidfile): void {
    const error = pidfile.write(process.pid);
    if (error === null) return;
    this.#log.write('warning', `Unable to write PID to ${pidfile.path}: ${error.message}.`);
  }

  /** A reload that names another pidfile; the old one goes only when the new one is ours. */
  #switchPidfile(path: string): void {
    const opening = openPidfile(path, this.#system.lock);
    if (opening.kind !== 'held') {
      const reason = opening.kind === 'failed' ? opening.error.message : `hastd ${opening.pid} has it`;
      this.#log.write('warning', `Unable to open or create pidfile ${path}: ${reason}.`);
      return;
    }
    this.#pidfile?.remove();
    this.#pidfile = opening.pidfile;
    this.#writePid(opening.pidfile);
  }

  #fail(failure: Failure): void {
    this.#log.write('error', failure.text);
    this.#pidfile?.remove();
    this.#starter.end(failure.exitCode);
  }

  /** A bug outside of any connection: workers and roles are worth more than a clean state. */
  #survive(error: Error): void {
    this.#log.write('crit', `Bug: ${error.stack ?? error.message}`);
    if (!this.#isReady) this.#starter.end(EX_SOFTWARE);
  }
}
