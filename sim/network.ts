/**
 * The Network port of one simulated process. A socket adds to the kernel's endpoint what belongs to the process: the
 * handler, lent chunks and the pause; it dies with the process, and the kernel then closes the endpoint.
 */
import { ANY_PORT, DEFAULT_PORT, formatAddress, parseAddress } from '../core/config/address.js';
import type { Address } from '../core/config/address.js';
import { isPortError, portError } from '../core/ports/error.js';
import type { Done, PortError } from '../core/ports/error.js';
import type { DetachedSocket, Listener, Network, Socket, SocketHandler } from '../core/ports/network.js';
import type { Connection } from './connection.js';
import type { Endpoint } from './endpoint.js';
import { tcpKey, unixKey } from './lan.js';
import type { Host, Lan } from './lan.js';
import type { SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';
import { SimSocket } from './socket.js';

/** Asking the resolver takes so long. */
const RESOLVE_MS = 1;

export class SimNetwork implements Network {
  readonly #scheduler: Scheduler;
  readonly #lan: Lan;
  readonly #host: Host;
  readonly #owner: SimProcess;

  constructor(scheduler: Scheduler, lan: Lan, host: Host, owner: SimProcess) {
    this.#scheduler = scheduler;
    this.#lan = lan;
    this.#host = host;
    this.#owner = owner;
  }

  dial(remote: string, source: string | null, handler: SocketHandler): Socket {
    const to = parseAddress(remote, DEFAULT_PORT);
    if (isPortError(to)) return this.#failedDial(to, handler);
    if (to.kind === 'unix') return this.#dialUnix(to.path, handler);
    const ip = firstIp(this.#lan.lookUp(to.host), to);
    if (ip === null) return this.#failedDial(portError('EINVAL', `${remote}: no such host`), handler);
    const peer = this.#lan.hostOf(this.#host, ip);
    const sourceIp = this.#sourceIp(source, ip);
    if (isPortError(sourceIp)) return this.#failedDial(sourceIp, handler);
    if (peer === null) {
      return this.#failedDial(portError('EHOSTUNREACH', `${remote}: nobody has the address ${ip}`), handler);
    }
    const connection = this.#lan.newConnection({
      from: this.#host,
      to: peer,
      localAddress: tcpText(sourceIp, this.#host.nextPort()),
      remoteAddress: tcpText(ip, to.port),
      fromIp: sourceIp,
      toIp: ip,
    });
    connection.request(() => peer.acceptorAt(ip, to.port));
    return this.#newSocket(connection, handler);
  }

  listen(address: string, accept: (socket: Socket) => SocketHandler, done: Done): Listener {
    const where = parseAddress(address, DEFAULT_PORT);
    const keys = isPortError(where) ? where : this.#listenKeys(where);
    const taken = isPortError(keys) ? keys : this.#occupy(address, keys, accept);
    const release = isPortError(taken) ? (): void => undefined : taken;
    const forget = this.#owner.onDeath(release);
    let closed = false;
    this.#later(() => {
      if (!closed) done(isPortError(taken) ? taken : null);
    });
    return {
      address,
      close: () => {
        closed = true;
        forget();
        release();
      },
    };
  }

  adopt(detached: DetachedSocket, handler: SocketHandler): Socket {
    const endpoint = detached.handle as Endpoint;
    return new SimSocket(this.#scheduler, this.#host, this.#owner, endpoint, handler, detached.unread);
  }

  resolve(address: string, done: (error: PortError | null, addresses: readonly string[]) => void): void {
    const where = parseAddress(address, DEFAULT_PORT);
    this.#scheduler.after(RESOLVE_MS, () => {
      this.#owner.run(() => {
        if (isPortError(where)) done(where, []);
        else if (where.kind === 'unix') done(null, []);
        else {
          const ips = ofFamily(this.#lan.lookUp(where.host), where.family);
          done(ips.length > 0 ? null : portError('EINVAL', `${address}: no such host`), ips);
        }
      });
    });
  }

  #dialUnix(path: string, handler: SocketHandler): Socket {
    const acceptorOf = () => this.#host.acceptors.get(unixKey(path)) ?? null;
    if (acceptorOf() === null)
      return this.#failedDial(portError('ENOENT', `${path}: nobody listens`), handler);
    const connection = this.#localConnection(`uds://${path}`);
    connection.request(acceptorOf);
    return this.#newSocket(connection, handler);
  }

  #failedDial(error: PortError, handler: SocketHandler): Socket {
    const socket = this.#newSocket(this.#localConnection('N/A'), handler);
    socket.fail(error);
    return socket;
  }

  #localConnection(remoteAddress: string): Connection {
    const host = this.#host;
    const local = { from: host, to: host, fromIp: null, toIp: null };
    return this.#lan.newConnection({ ...local, localAddress: 'N/A', remoteAddress });
  }

  #newSocket({ dialler }: Connection, handler: SocketHandler): SimSocket {
    return new SimSocket(this.#scheduler, this.#host, this.#owner, dialler, handler, null);
  }

  /** The address to come from: the configured one, else the first of the family. */
  #sourceIp(source: string | null, ip: string): string | PortError {
    if (source !== null) {
      const from = parseAddress(source, ANY_PORT);
      if (isPortError(from)) return from;
      const sourceIp = from.kind === 'tcp' ? firstIp(this.#lan.lookUp(from.host), from) : null;
      if (sourceIp === null) return portError('EINVAL', `${source}: no such host`);
      if (this.#isMine(sourceIp)) return sourceIp;
      return portError('EADDRNOTAVAIL', `${source}: not an address of this host`);
    }
    if (this.#host.has(ip)) return ip;
    return this.#host.ips.find((own) => own.includes(':') === ip.includes(':')) ?? ip;
  }

  #isMine(ip: string): boolean {
    return this.#host.has(ip);
  }

  #listenKeys(where: Address): string[] | PortError {
    if (where.kind === 'unix') return [unixKey(where.path)];
    const ip = firstIp(this.#lan.lookUp(where.host), where);
    if (ip === null) return portError('EINVAL', `${formatAddress(where)}: no such host`);
    if (ip === '0.0.0.0' || ip === '::' || this.#isMine(ip)) return [tcpKey(ip, where.port)];
    return portError('EADDRNOTAVAIL', `${formatAddress(where)}: not an address of this host`);
  }

  /** Enters the listener in the kernel's table; how to remove it. */
  #occupy(
    address: string,
    keys: readonly string[],
    accept: (socket: Socket) => SocketHandler,
  ): (() => void) | PortError {
    const { acceptors } = this.#host;
    if (keys.some((key) => acceptors.has(key))) return portError('EADDRINUSE', `${address}: in use`);
    let listening = true;
    const drop = (endpoint: Endpoint): void => {
      this.#host.disown(endpoint);
      endpoint.close();
    };
    const acceptor = {
      // A process that is stopped accepts later, if it still can then.
      accept: (endpoint: Endpoint) => {
        const forget = this.#owner.onDeath((death) => {
          if (death === 'killed') drop(endpoint);
        });
        this.#owner.run(() => {
          forget();
          if (!listening) {
            drop(endpoint);
            return;
          }
          const socket = new SimSocket(this.#scheduler, this.#host, this.#owner, endpoint, null, null);
          socket.attach(accept(socket));
        });
      },
    };
    for (const key of keys) acceptors.set(key, acceptor);
    return () => {
      listening = false;
      for (const key of keys) if (acceptors.get(key) === acceptor) acceptors.delete(key);
    };
  }

  #later(callback: () => void): void {
    this.#scheduler.after(0, () => {
      this.#owner.run(callback);
    });
  }
}

function tcpText(ip: string, port: number): string {
  return formatAddress({ kind: 'tcp', family: 0, host: ip, port });
}

function ofFamily(ips: readonly string[], family: 0 | 4 | 6): readonly string[] {
  return family === 0 ? ips : ips.filter((ip) => ip.includes(':') === (family === 6));
}

/** Only the first address of a name is used (core/spec/wire.md section 5). */
function firstIp(ips: readonly string[], where: { readonly family: 0 | 4 | 6 }): string | null {
  return ofFamily(ips, where.family)[0] ?? null;
}
