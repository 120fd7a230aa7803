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
import type { Acceptor, Host, Lan } from './lan.js';
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
    const to = addressOf(remote, DEFAULT_PORT);
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
    const where = addressOf(address, DEFAULT_PORT);
    const keys = isPortError(where) ? where : this.#listenKeys(where);
    const acceptor = isPortError(keys) ? keys : this.#occupy(address, keys, accept);
    let closed = false;
    this.#later(() => {
      if (!closed) done(isPortError(acceptor) ? acceptor : null);
    });
    return {
      address,
      close: () => {
        closed = true;
        if (!isPortError(acceptor)) acceptor.close();
      },
    };
  }

  adopt(detached: DetachedSocket, handler: SocketHandler): Socket {
    const endpoint = detached.handle as Endpoint;
    return new SimSocket(this.#scheduler, this.#host, this.#owner, endpoint, handler, detached.unread);
  }

  resolve(address: string, done: (error: PortError | null, addresses: readonly string[]) => void): void {
    const where = addressOf(address, DEFAULT_PORT);
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
      const from = addressOf(source, ANY_PORT);
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

  /** Enters the listener in the kernel's table. */
  #occupy(
    address: string,
    keys: readonly string[],
    accept: (socket: Socket) => SocketHandler,
  ): SimAcceptor | PortError {
    const { acceptors } = this.#host;
    if (keys.some((key) => acceptors.has(key))) return portError('EADDRINUSE', `${address}: in use`);
    return new SimAcceptor(this.#host, this.#owner, keys, (endpoint) => {
      const socket = new SimSocket(this.#scheduler, this.#host, this.#owner, endpoint, null, null);
      socket.attach(accept(socket));
    });
  }

  #later(callback: () => void): void {
    this.#scheduler.after(0, () => {
      this.#owner.run(callback);
    });
  }
}

/** A listening socket: the kernel accepts, and closes what its process had no time to take. */
class SimAcceptor implements Acceptor {
  readonly #host: Host;
  readonly #owner: SimProcess;
  readonly #keys: readonly string[];
  readonly #take: (endpoint: Endpoint) => void;
  readonly #forgetOwner: () => void;
  readonly #untaken = new Set<Endpoint>();

  constructor(host: Host, owner: SimProcess, keys: readonly string[], take: (endpoint: Endpoint) => void) {
    this.#host = host;
    this.#owner = owner;
    this.#keys = keys;
    this.#take = take;
    for (const key of keys) host.acceptors.set(key, this);
    this.#forgetOwner = owner.onDeath((death) => {
      if (death === 'killed') this.close();
    });
  }

  accept(endpoint: Endpoint): void {
    this.#untaken.add(endpoint);
    this.#owner.run(() => {
      if (this.#untaken.delete(endpoint)) this.#take(endpoint);
    });
  }

  close(): void {
    this.#forgetOwner();
    const { acceptors } = this.#host;
    for (const key of this.#keys) if (acceptors.get(key) === this) acceptors.delete(key);
    for (const endpoint of this.#untaken) {
      this.#host.disown(endpoint);
      endpoint.close();
    }
    this.#untaken.clear();
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

/** The same few addresses are dialled all the time. */
const addresses = new Map<string, Address | PortError>();

function addressOf(text: string, defaultPort: number): Address | PortError {
  const key = `${String(defaultPort)} ${text}`;
  const known = addresses.get(key);
  if (known !== undefined) return known;
  const address = parseAddress(text, defaultPort);
  addresses.set(key, address);
  return address;
}
