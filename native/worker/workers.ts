/**
 * Worker processes, seen from the main daemon: one child per active resource (core/spec/control.md section 9.1). The
 * child gets its task and its sockets over the channel, in the order they were sent; it is a new program,
 * not a fork, so it shares nothing with the main daemon that was not handed over.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, SendHandle } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Turns } from '../../core/base/turns.js';
import type { ResourceConfig } from '../../core/config/types.js';
import type { Log } from '../../core/ports/log.js';
import type { DetachedSocket } from '../../core/ports/network.js';
import type { Assignment, Worker, WorkerHandler, Workers } from '../../core/ports/workers.js';
import { unreachable } from '../../core/base/assert.js';
import { EXIT_TEMPFAIL } from '../../core/resource/types.js';
import type { WorkerStatus } from '../../core/resource/types.js';
import { errorText } from '../errors.js';
import { workerTitle } from '../title.js';
import type { FromWorker, ToWorker, WorkerSettings, WorkerTask } from './messages.js';
import { SocketsInTransit } from './transit.js';

const PROGRAM = fileURLToPath(new URL('main.js', import.meta.url));

type StatusDone = (error: string | null, status: WorkerStatus | null) => void;

export interface WorkerProcessesOptions {
  readonly turns: Turns;
  readonly log: Log;
  readonly settings: WorkerSettings;
  /** Another program in the worker's place, for tests of this side alone. */
  readonly program?: string;
}

export class WorkerProcesses implements Workers {
  readonly #options: WorkerProcessesOptions;

  constructor(options: WorkerProcessesOptions) {
    this.#options = options;
  }

  start(assignment: Assignment, handler: WorkerHandler): Worker {
    const child = this.#spawn(assignment);
    if (child === null) return this.#stillborn(assignment, handler);
    const worker = new WorkerProcess(child, assignment.resource.provname, handler, this.#options.turns);
    if (assignment.role === 'secondary') {
      worker.hand({ kind: 'connection', which: 'a', unread: assignment.connA.unread }, assignment.connA);
      worker.hand({ kind: 'connection', which: 'b', unread: assignment.connB.unread }, assignment.connB);
    }
    worker.tell({ kind: 'start', task: taskOf(assignment), settings: this.#options.settings });
    return worker;
  }

  /** Null: the system has no room for another process just now. */
  #spawn(assignment: Assignment): ChildProcess | null {
    const { log, settings, program = PROGRAM } = this.#options;
    const failed = (error: unknown): void => {
      log.write('error', `Unable to start worker process: ${errorText(error)}.`);
    };
    try {
      // With argv[0] as its title a worker is found by name from its first moment on, however long the name.
      const child = spawn(process.execPath, [...process.execArgv, program], {
        argv0: workerTitle(assignment.resource.name, assignment.role),
        stdio: [...(settings.foreground ? FOREGROUND : BACKGROUND), 'ipc'],
        serialization: 'advanced',
      });
      child.on('error', (error) => {
        if (child.pid === undefined) failed(error);
      });
      return child;
    } catch (error) {
      failed(error);
      return null;
    }
  }

  /** A worker that never lived ends like one that could not go on for lack of something. */
  #stillborn(assignment: Assignment, handler: WorkerHandler): Worker {
    const sockets = new SocketsInTransit();
    if (assignment.role === 'secondary') {
      sockets.add(assignment.connA);
      sockets.add(assignment.connB);
    }
    setImmediate(() => {
      sockets.drop();
      this.#options.turns.run(() => {
        handler.exited(EXIT_TEMPFAIL, null);
      });
    });
    return {
      pid: 0,
      status: () => undefined,
      reload: () => undefined,
      attach: (client) => {
        sockets.add(client);
      },
      stop: () => undefined,
      kill: () => undefined,
    };
  }
}

const FOREGROUND = ['ignore', 'inherit', 'inherit'] as const;
const BACKGROUND = ['ignore', 'ignore', 'ignore'] as const;

function taskOf(assignment: Assignment): WorkerTask {
  if (assignment.role === 'primary') return assignment;
  const { role, resource, version, handshake } = assignment;
  return { role, resource, version, handshake };
}

/** A message, with the socket it announces. */
interface Parcel {
  readonly message: ToWorker;
  readonly socket: DetachedSocket | null;
}

class WorkerProcess implements Worker {
  readonly #child: ChildProcess;
  readonly #provider: string;
  readonly #handler: WorkerHandler;
  readonly #turns: Turns;
  readonly #asked = new Map<number, StatusDone>();
  #nextId = 1;
  readonly #unsent: Parcel[] = [];
  readonly #inTransit = new SocketsInTransit();
  #isReady = false;
  #gone = false;

  constructor(child: ChildProcess, provider: string, handler: WorkerHandler, turns: Turns) {
    this.#child = child;
    this.#provider = provider;
    this.#handler = handler;
    this.#turns = turns;
    child.on('message', (message) => {
      this.#heard(message as FromWorker);
    });
    // `close` comes after the last message, `exit` may come before.
    child.once('close', (code, signal) => {
      this.#ended(code, signal);
    });
    child.on('error', () => {
      if (child.pid === undefined) this.#ended(EXIT_TEMPFAIL, null);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  status(done: StatusDone): void {
    const id = this.#nextId++;
    this.#asked.set(id, done);
    this.tell({ kind: 'status', id });
  }

  reload(resource: ResourceConfig): void {
    this.tell({ kind: 'reload', resource });
  }

  attach(client: DetachedSocket): void {
    this.hand({ kind: 'attach', unread: client.unread }, client);
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  tell(message: ToWorker): void {
    this.#sendInOrder({ message, socket: null });
  }

  hand(message: ToWorker, socket: DetachedSocket): void {
    this.#inTransit.add(socket);
    this.#sendInOrder({ message, socket });
  }

  /**
   * Node unpacks sockets in the child as soon as they arrive, and begins to read from them; so none is sent before
   * somebody there takes it at once.
   */
  #sendInOrder(parcel: Parcel): void {
    if (this.#isReady) this.#send(parcel);
    else this.#unsent.push(parcel);
  }

  /** What cannot be sent is lost with the worker: `exited` tells. */
  #send({ message, socket }: Parcel): void {
    if (!this.#child.connected) return;
    if (socket === null) this.#child.send(message, () => undefined);
    else this.#child.send(message, socket.handle as SendHandle, () => undefined);
  }

  #ready(): void {
    this.#isReady = true;
    for (const parcel of this.#unsent.splice(0)) this.#send(parcel);
  }

  #heard(message: FromWorker): void {
    this.#turns.run(() => {
      switch (message.kind) {
        case 'ready':
          this.#ready();
          return;
        case 'event':
          this.#handler.event(message.event);
          return;
        case 'exported':
          this.#handler.exported(this.#provider);
          return;
        case 'status': {
          const done = this.#asked.get(message.id);
          this.#asked.delete(message.id);
          done?.(null, message.status);
          return;
        }
        default:
          unreachable(message);
      }
    });
  }

  #ended(code: number | null, signal: string | null): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#inTransit.drop();
    this.#turns.run(() => {
      for (const done of this.#asked.values()) done('the worker process is gone', null);
      this.#asked.clear();
      if (signal === null) this.#handler.exited(code ?? EXIT_TEMPFAIL, null);
      else this.#handler.exited(null, signal);
    });
  }
}
