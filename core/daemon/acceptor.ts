/**
 * The secondary's side of a new connection, up to the worker (core/spec/wire.md section 6): is the peer known, handshake
 * 1 on connection A, a token for connection B, the message of handshake 2. Each connection goes its own way at its own
 * pace (W30).
 *
 * A running session is not touched by a hello, which costs a stranger nothing: it ends when its successor has shown the
 * token. To an unmodified primary that makes no difference: it gets its answer to handshake 2 after the old worker is gone.
 */
import { sameBytes } from '../base/bytes.js';
import { isPortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';
import type { Socket, SocketHandler } from '../ports/network.js';
import { encodeFrame, MAX_LIST_BYTES, OLDEST_VERSION, PROTOCOL_VERSION } from '../wire/frame.js';
import {
  decodeFirstMessage,
  encodeHelloReply,
  encodeRefusal,
  NO_ACCESS,
  notSecondary,
  RESOURCE_NOT_CONFIGURED,
  TOKEN_BYTES,
  TOKEN_MISMATCH,
} from '../wire/handshake-messages.js';
import { decodeNv } from '../wire/nv-list.js';
import { ipOf, type Access } from './access.js';
import type { ManagedResource, Session } from './managed-resource.js';
import type { DaemonPorts } from './ports.js';
import type { Resources } from './resources.js';
import { ServedConnection } from './served-connection.js';

/** A client has that long for its message, and we for our answer. */
const HANDSHAKE_LIMIT_MS = 20_000;
const LONGEST_TOKEN_LIFE_MS = 120_000;
/** Every resource of the peer may be connecting at the same time, several times over after an outage. */
const HALF_OPEN_BASE = 16;
const HALF_OPEN_PER_RESOURCE = 4;

/** What the peer said first. `version` is the highest it understands. */
type FirstMessage =
  | { readonly kind: 'hello'; readonly version: number }
  | {
      readonly kind: 'attach';
      readonly version: number;
      readonly token: Uint8Array;
      readonly list: Uint8Array;
    };

/** Connection A with a token, waiting for connection B. */
interface Pending {
  readonly connection: ServedConnection;
  readonly token: Uint8Array;
  readonly version: number;
}

export class Acceptor {
  readonly #ports: DaemonPorts;
  readonly #resources: Resources;
  readonly #access: Access;
  readonly #log: Log;
  /** Connections that have not had their answer; the oldest first. */
  readonly #halfOpen = new Set<ServedConnection>();
  /** By resource: the newest hello wins. */
  readonly #pending = new Map<string, Pending>();
  /** Both connections of sessions that wait for their predecessor's end; what to do when one is lost. */
  readonly #waiting = new Map<ServedConnection, () => void>();

  constructor(ports: DaemonPorts, resources: Resources, access: Access) {
    this.#ports = ports;
    this.#resources = resources;
    this.#access = access;
    this.#log = ports.logFor('');
  }

  /** For `Network.listen`. */
  accept(socket: Socket): SocketHandler {
    const connection: ServedConnection = new ServedConnection(
      this.#ports.clock,
      this.#log,
      socket,
      MAX_LIST_BYTES,
      {
        received: (version, list) => {
          this.#received(connection, version, list);
        },
        lost: (error) => {
          this.#unreadable(connection, error?.message ?? 'the peer closed the connection');
        },
        expired: () => {
          this.#expired(connection);
        },
        ended: () => {
          this.#ended(connection);
        },
      },
    );
    this.#log.write('info', `Connection from ${connection.remoteAddress} to ${connection.localAddress}.`);
    this.#halfOpen.add(connection);
    connection.limit(HANDSHAKE_LIMIT_MS);
    connection.guard(() => {
      this.#makeRoom();
      this.#checkPeer(connection);
    })();
    return connection.handler;
  }

  /** Drops whoever is not yet a session. */
  close(): void {
    for (const connection of this.#halfOpen) connection.close();
    for (const { connection } of this.#pending.values()) connection.close();
  }

  /** Too many at once: the oldest has had the longest time to say something. */
  #makeRoom(): void {
    const most = HALF_OPEN_BASE + HALF_OPEN_PER_RESOURCE * this.#resources.count;
    for (const connection of this.#halfOpen) {
      if (this.#halfOpen.size <= most) return;
      this.#log.write('warning', `Too many connections at once, dropping ${connection.remoteAddress}.`);
      connection.close();
    }
  }

  #checkPeer(connection: ServedConnection): void {
    const remotes = new Set(this.#resources.all().map((resource) => resource.config.remoteaddr));
    const judge = connection.guard((known: boolean) => {
      if (known) {
        connection.read();
        return;
      }
      this.#log.write('error', `Client ${connection.remoteAddress} isn't known.`);
      connection.close();
    });
    this.#access.matchesAny([...remotes], ipOf(connection.remoteAddress), judge);
  }

  #received(connection: ServedConnection, version: number, list: Uint8Array): void {
    const decoded = decodeNv(list);
    const message = isPortError(decoded) ? decoded : decodeFirstMessage(decoded);
    if (isPortError(message)) {
      this.#unreadable(connection, message.message);
      connection.close();
      return;
    }
    const first: FirstMessage =
      message.kind === 'hello'
        ? { kind: 'hello', version: message.version }
        : { kind: 'attach', version, token: message.token, list: list.slice() };
    const resource = this.#resources.get(message.resource);
    if (resource === null) {
      const name = printable(message.resource);
      this.#log.write('error', `No resource '${name}' as requested by ${connection.remoteAddress}.`);
      this.#refuse(connection, first, RESOURCE_NOT_CONFIGURED);
      return;
    }
    const judge = connection.guard((allowed: boolean) => {
      this.#judge(connection, resource, first, allowed);
    });
    this.#access.matches(resource.config.remoteaddr, ipOf(connection.remoteAddress), judge);
  }

  #judge(
    connection: ServedConnection,
    resource: ManagedResource,
    first: FirstMessage,
    allowed: boolean,
  ): void {
    const { role } = resource;
    if (this.#resources.get(resource.name) !== resource) {
      this.#refuse(connection, first, RESOURCE_NOT_CONFIGURED);
    } else if (!allowed) {
      resource.log().write('error', `Client ${connection.remoteAddress} has no access to the resource.`);
      this.#refuse(connection, first, NO_ACCESS);
    } else if (role !== 'secondary') {
      const text = `We act as ${role} for the resource and not as secondary as requested by ${connection.remoteAddress}.`;
      resource.log().write('warning', text);
      if (role === 'primary' && first.kind === 'hello') resource.peerIsPrimary();
      this.#refuse(connection, first, notSecondary(role), role === 'primary');
    } else if (first.kind === 'hello') {
      this.#grant(connection, resource, Math.min(first.version, PROTOCOL_VERSION));
    } else {
      this.#attach(connection, resource, first);
    }
  }

  /** Handshake 1 succeeded: a token that is good for one connection B, for a while. */
  #grant(connection: ServedConnection, resource: ManagedResource, version: number): void {
    const token = this.#ports.entropy.bytes(TOKEN_BYTES);
    this.#pending.get(resource.name)?.connection.close();
    this.#halfOpen.delete(connection);
    this.#pending.set(resource.name, { connection, token, version });
    // The primary may take its whole connect timeout for connection B.
    const lifeMs = resource.config.timeout * 1000 + HANDSHAKE_LIMIT_MS;
    connection.limit(Math.min(lifeMs, LONGEST_TOKEN_LIFE_MS));
    connection.send(encodeFrame(version, encodeHelloReply({ version, token })));
  }

  #attach(
    connection: ServedConnection,
    resource: ManagedResource,
    attach: FirstMessage & { kind: 'attach' },
  ): void {
    const pending = this.#pending.get(resource.name);
    if (pending === undefined || !sameBytes(pending.token, attach.token)) {
      resource.log().write('error', `Token received from ${connection.remoteAddress} doesn't match.`);
      this.#refuse(connection, attach, TOKEN_MISMATCH);
      return;
    }
    this.#pending.delete(resource.name);
    // The system may be late to say that it has the token, although this connection proves it.
    pending.connection.whenSent(() => {
      this.#open(resource, pending, connection, attach);
    });
  }

  #open(
    resource: ManagedResource,
    pending: Pending,
    connection: ServedConnection,
    attach: FirstMessage & { kind: 'attach' },
  ): void {
    this.#halfOpen.delete(connection);
    if (
      !connection.open ||
      this.#resources.get(resource.name) !== resource ||
      resource.role !== 'secondary'
    ) {
      pending.connection.close();
      connection.close();
      return;
    }
    pending.connection.limit(null);
    connection.limit(null);
    resource.open(this.#sessionOf(resource, pending, connection, attach.list));
  }

  #sessionOf(
    resource: ManagedResource,
    pending: Pending,
    connB: ServedConnection,
    handshake: Uint8Array,
  ): Session {
    const connA = pending.connection;
    const forget = (): void => {
      this.#waiting.delete(connA);
      this.#waiting.delete(connB);
    };
    const session: Session = {
      version: pending.version,
      handshake,
      detach: () => {
        forget();
        return { connA: connA.detach(), connB: connB.detach() };
      },
      drop: () => {
        forget();
        connA.close();
        connB.close();
      },
    };
    const lost = (): void => {
      resource.lost(session);
      session.drop();
    };
    this.#waiting.set(connA, lost).set(connB, lost);
    return session;
  }

  /** Peers that speak only version 1 cannot read another version byte. */
  #refuse(connection: ServedConnection, first: FirstMessage, message: string, wait = false): void {
    const version = Math.max(OLDEST_VERSION, Math.min(first.version, PROTOCOL_VERSION));
    connection.sendLast(encodeFrame(version, encodeRefusal(message, wait)));
  }

  #unreadable(connection: ServedConnection, why: string): void {
    this.#log.write('error', `Unable to receive header from ${connection.remoteAddress}: ${why}.`);
  }

  #expired(connection: ServedConnection): void {
    if (this.#halfOpen.has(connection)) {
      this.#unreadable(connection, `handshake not finished within ${HANDSHAKE_LIMIT_MS / 1000}s`);
    } else {
      this.#log.write('warning', `${connection.remoteAddress} made no second connection in time.`);
    }
  }

  #ended(connection: ServedConnection): void {
    this.#halfOpen.delete(connection);
    for (const [name, pending] of this.#pending) {
      if (pending.connection === connection) this.#pending.delete(name);
    }
    this.#waiting.get(connection)?.();
  }
}

/** A peer's text for the log: no control characters, not too long. */
function printable(text: string): string {
  const cut = text.length > 254 ? `${text.slice(0, 254)}...` : text;
  return [...cut].map((character) => (isControl(character) ? '?' : character)).join('');
}

function isControl(character: string): boolean {
  return character < ' ' || (character >= '\x7f' && character < '\xa0');
}
