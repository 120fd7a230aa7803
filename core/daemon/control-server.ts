/**
 * Serves hastctl (core/spec/control.md): one request and one reply per connection, any number of them at a time. A
 * resource that cannot answer has its own error in the reply and delays nobody but whoever asked for it.
 */
import { isPortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';
import type { Socket, SocketHandler } from '../ports/network.js';
import {
  encodeControlError,
  encodeRoleReply,
  encodeStatusReply,
  type ResourceError,
  type RoleReport,
  type StatusReport,
} from '../control/replies.js';
import {
  decodeControlRequest,
  ERROR_DENIED,
  ERROR_NOENTRY,
  MAX_REQUEST_BYTES,
  type ControlRequest,
  type ResourceNames,
} from '../control/requests.js';
import { unreachable } from '../base/assert.js';
import { errnoOf } from '../wire/errno.js';
import { encodeFrame, PROTOCOL_VERSION } from '../wire/frame.js';
import { decodeNv } from '../wire/nv-list.js';
import type { NvPair } from '../wire/nv.js';
import type { ManagedResource } from './managed-resource.js';
import type { DaemonPorts } from './ports.js';
import type { Resources } from './resources.js';
import { ServedConnection } from './served-connection.js';

/** For the request to arrive, and for the reply to leave. */
const TRANSFER_LIMIT_MS = 20_000;
/** A role that has not changed after that, with its old worker stopped and killed, is reported as failed. */
const ANSWER_LIMIT_MS = 180_000;
const MOST_CONNECTIONS = 64;
/** For those who may not command: to hear so. What they take is not taken from others. */
const DENIED_LIMIT_MS = 2_000;
const MOST_DENIED = 8;
/** A user that goes on trying is logged so often. */
const REPEAT_LOG_MS = 60_000;

export class ControlServer {
  readonly #ports: DaemonPorts;
  readonly #resources: Resources;
  readonly #log: Log;
  readonly #mayCommand: (uid: number) => boolean;
  readonly #connections = new Set<ServedConnection>();
  readonly #denied = new Set<ServedConnection>();
  readonly #loggedAtMs = new Map<number, number>();
  #closed = false;

  constructor(ports: DaemonPorts, resources: Resources, mayCommand: (uid: number) => boolean) {
    this.#ports = ports;
    this.#resources = resources;
    this.#log = ports.logFor('');
    this.#mayCommand = mayCommand;
  }

  /** For `Network.listen`. */
  accept(socket: Socket): SocketHandler {
    const uid = socket.peerUid;
    if (uid !== null && !this.#mayCommand(uid)) return this.#deny(socket, uid);
    const connection: ServedConnection = this.#serveOn(socket, this.#connections, {
      received: (list) => {
        this.#received(connection, list);
      },
      expired: () => {
        this.#log.write('warning', `Control connection closed: idle for ${TRANSFER_LIMIT_MS / 1000}s.`);
      },
    });
    connection.limit(TRANSFER_LIMIT_MS);
    if (this.#connections.size > MOST_CONNECTIONS) connection.close();
    return connection.handler;
  }

  /** Closes all connections and every one that comes. */
  close(): void {
    this.#closed = true;
    for (const connection of [...this.#connections, ...this.#denied]) connection.close();
  }

  /** Whatever is asked, the answer is no. It waits for the question: who is still asking would not hear it. */
  #deny(socket: Socket, uid: number): SocketHandler {
    const connection: ServedConnection = this.#serveOn(socket, this.#denied, {
      received: () => {
        connection.sendLast(encodeFrame(PROTOCOL_VERSION, encodeControlError(ERROR_DENIED)));
      },
      expired: () => undefined,
    });
    connection.limit(DENIED_LIMIT_MS);
    if (this.#denied.size > MOST_DENIED) connection.close();
    this.#logDenied(uid);
    return connection.handler;
  }

  #logDenied(uid: number): void {
    const now = this.#ports.clock.now();
    const loggedAtMs = this.#loggedAtMs.get(uid);
    if (loggedAtMs !== undefined && now - loggedAtMs < REPEAT_LOG_MS) return;
    this.#loggedAtMs.set(uid, now);
    this.#log.write(
      'warning',
      `Control connection of user ${uid} refused: only root and our own user may command.`,
    );
  }

  /** A connection that is among `connections` as long as it lives, and reads unless the daemon ends. */
  #serveOn(
    socket: Socket,
    connections: Set<ServedConnection>,
    user: { received(list: Uint8Array): void; expired(): void },
  ): ServedConnection {
    const connection: ServedConnection = new ServedConnection(
      this.#ports.clock,
      this.#log,
      socket,
      MAX_REQUEST_BYTES,
      {
        received: (_version, list) => {
          user.received(list);
        },
        lost: () => undefined,
        expired: () => {
          user.expired();
        },
        ended: () => {
          connections.delete(connection);
        },
      },
    );
    connections.add(connection);
    if (this.#closed) connection.close();
    else connection.read();
    return connection;
  }

  #received(connection: ServedConnection, list: Uint8Array): void {
    const decoded = decodeNv(list);
    const request = isPortError(decoded) ? decoded : decodeControlRequest(decoded);
    if (isPortError(request)) {
      this.#log.write('error', `Unable to use a control request: ${request.message}.`);
      connection.close();
      return;
    }
    const reply = connection.guard((pairs: readonly NvPair[]) => {
      connection.limit(TRANSFER_LIMIT_MS);
      connection.sendLast(encodeFrame(PROTOCOL_VERSION, pairs));
    });
    connection.limit(null);
    if (request.kind === 'invalid') reply(encodeControlError(request.error));
    else this.#serve(request, reply);
  }

  #serve(request: ControlRequest, reply: (pairs: readonly NvPair[]) => void): void {
    switch (request.kind) {
      case 'setrole': {
        const { role, force, names } = request;
        this.#forEach<RoleReport>(
          names,
          (resource, done) => {
            resource.setRole(role, force, (previous) => {
              done({ kind: 'role', resource: resource.name, previous });
            });
          },
          (reports) => {
            reply(encodeRoleReply(reports));
          },
        );
        return;
      }
      case 'status':
        this.#forEach<StatusReport>(request.names, reportStatus, (reports) => {
          reply(encodeStatusReply(reports));
        });
        return;
      default:
        unreachable(request);
    }
  }

  /** Asks all named resources at once; `answer` gets the reports in the order of the names. */
  #forEach<Report>(
    names: ResourceNames,
    ask: (resource: ManagedResource, done: (report: Report | ResourceError) => void) => void,
    answer: (reports: readonly (Report | ResourceError)[]) => void,
  ): void {
    const all = names === 'all' ? this.#resources.all().map(({ name }) => name) : names;
    const reports = all.map((name): Report | ResourceError => failure(name, errnoOf('ETIMEDOUT')));
    let missing = all.length;
    let answered = false;
    const finish = (): void => {
      if (answered) return;
      answered = true;
      limit.cancel();
      answer(reports);
    };
    const limit = this.#ports.clock.after(ANSWER_LIMIT_MS, finish);
    const reported = (index: number, report: Report | ResourceError): void => {
      reports[index] = report;
      if (--missing === 0) finish();
    };
    if (missing === 0) finish();
    for (const [index, name] of all.entries()) {
      const resource = this.#resources.get(name);
      if (resource === null) reported(index, failure(name, ERROR_NOENTRY));
      else
        ask(resource, (report) => {
          reported(index, report);
        });
    }
  }
}

function reportStatus(resource: ManagedResource, done: (report: StatusReport | ResourceError) => void): void {
  resource.status((status) => {
    done(isPortError(status) ? failure(resource.name, errnoOf(status.code)) : { kind: 'status', ...status });
  });
}

function failure(resource: string, error: number): ResourceError {
  return { kind: 'error', resource, error };
}
