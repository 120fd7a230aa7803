/**
 * The Network port on node:net: TCP and Unix stream sockets (core/spec/wire.md section 5, config.md section 3).
 */
import { ADDRCONFIG } from 'node:dns';
import { lookup } from 'node:dns/promises';
import * as net from 'node:net';
import type { Turns } from '../core/base/turns.js';
import { ANY_PORT, DEFAULT_PORT, formatAddress, parseAddress } from '../core/config/address.js';
import type { Address } from '../core/config/address.js';
import { isPortError, portError } from '../core/ports/error.js';
import type { Done, PortError } from '../core/ports/error.js';
import type { DetachedSocket, Listener, Network, Socket, SocketHandler } from '../core/ports/network.js';
import type { Addon } from './addon.js';
import { portErrorOf } from './errors.js';
import { DirectSocket } from './direct-socket.js';
import type { Ends, NetworkSocket, Start } from './network-socket.js';
import { descriptorOf, NodeSocket } from './socket.js';
import { systemText } from './text.js';
import { clearSocketPath, listenPrivately } from './unix-path.js';
import type { UnixListenOptions } from './unix-path.js';

type TcpAddress = Extract<Address, { kind: 'tcp' }>;
type TcpListenOptions = Required<Pick<net.ListenOptions, 'host' | 'port' | 'backlog' | 'ipv6Only'>>;

const BACKLOG = 8;
const UNKNOWN = 'N/A';

export class NodeNetwork implements Network {
  readonly #turns: Turns;
  readonly #addon: Addon | null;

  /** Without the addon it is not known who connects to a Unix socket, and every transfer costs more. */
  constructor(turns: Turns, addon: Addon | null = null) {
    this.#turns = turns;
    this.#addon = addon;
  }

  dial(remote: string, source: string | null, handler: SocketHandler): Socket {
    const netSocket = new net.Socket();
    netSocket.setNoDelay(true);
    const socket = this.#socketOn(netSocket, handler, endsOf(netSocket), 'dialling');
    netSocket.once('connect', () => {
      socket.establish(dialledEnds(netSocket, remote));
    });
    void connectOptions(remote, source).then((options) => {
      if (isPortError(options)) socket.fail(options);
      else if (!netSocket.destroyed) netSocket.connect(options);
    });
    return socket;
  }

  listen(address: string, accept: (socket: Socket) => SocketHandler, done: Done): Listener {
    // Nothing is read from a connection before its handler says so: it may go to another process as it came.
    const server = net.createServer({ pauseOnConnect: true, noDelay: true });
    let closed = false;
    server.on('connection', (netSocket) => {
      const ends = acceptedEnds(netSocket, address, this.#addon);
      if (ends === null) {
        netSocket.destroy();
        return;
      }
      const socket = this.#socketOn(netSocket, null, ends, { unread: new Uint8Array(0) });
      this.#turns.run(() => {
        socket.attach(accept(socket));
      });
    });
    const finish = (error: PortError | null): void => {
      if (closed) return;
      this.#turns.run(() => {
        done(error);
      });
    };
    // After it listens, errors are those of single connections that could not be accepted.
    server.on('error', (error) => {
      if (!server.listening) finish(portErrorOf(error));
    });
    server.once('listening', () => {
      finish(null);
    });
    void listenOptions(address).then((options) => {
      if (isPortError(options)) finish(options);
      else if (closed) return;
      else if ('path' in options) listenPrivately(server, options);
      else server.listen(options);
    });
    return {
      address,
      close: () => {
        closed = true;
        server.close();
      },
    };
  }

  /** `detached.handle` is a net.Socket; one from another process is adopted in the tick in which it arrives. */
  adopt(detached: DetachedSocket, handler: SocketHandler): Socket {
    const netSocket = detached.handle as net.Socket;
    return this.#socketOn(netSocket, handler, endsOf(netSocket), { unread: detached.unread });
  }

  resolve(address: string, done: (error: PortError | null, addresses: readonly string[]) => void): void {
    void ipsOf(address).then((ips) => {
      this.#turns.run(() => {
        if (isPortError(ips)) done(ips, []);
        else done(null, ips);
      });
    });
  }

  #socketOn(netSocket: net.Socket, handler: SocketHandler | null, ends: Ends, start: Start): NetworkSocket {
    if (this.#addon === null) return new NodeSocket(this.#turns, netSocket, handler, ends, start);
    return new DirectSocket({ turns: this.#turns, addon: this.#addon }, netSocket, handler, ends, start);
  }
}

async function connectOptions(
  remote: string,
  source: string | null,
): Promise<net.NetConnectOpts | PortError> {
  const to = parseAddress(remote, DEFAULT_PORT);
  if (isPortError(to)) return to;
  if (to.kind === 'unix') return { path: systemText(to.path) };
  const host = await firstIp(to);
  if (isPortError(host)) return host;
  if (source === null) return { host, port: to.port };
  const from = parseAddress(source, ANY_PORT);
  if (isPortError(from)) return from;
  if (from.kind === 'unix') return portError('EINVAL', `${source}: a Unix socket cannot be the source`);
  const localAddress = await firstIp(from);
  if (isPortError(localAddress)) return localAddress;
  return { host, port: to.port, localAddress, localPort: from.port };
}

async function listenOptions(address: string): Promise<TcpListenOptions | UnixListenOptions | PortError> {
  const where = parseAddress(address, DEFAULT_PORT);
  if (isPortError(where)) return where;
  if (where.kind === 'unix') {
    const path = systemText(where.path);
    return (await clearSocketPath(path)) ?? { path, backlog: BACKLOG };
  }
  const host = await firstIp(where);
  if (isPortError(host)) return host;
  return { host, port: where.port, backlog: BACKLOG, ipv6Only: net.isIPv6(host) };
}

async function ipsOf(address: string): Promise<readonly string[] | PortError> {
  const where = parseAddress(address, DEFAULT_PORT);
  if (isPortError(where)) return where;
  return where.kind === 'unix' ? [] : lookUp(where);
}

/** Only the first address of a name is used (core/spec/wire.md section 5). */
async function firstIp(where: TcpAddress): Promise<string | PortError> {
  const ips = await lookUp(where);
  if (isPortError(ips)) return ips;
  return ips[0] ?? portError('EINVAL', `${where.host} has no address`);
}

async function lookUp({ host, family }: TcpAddress): Promise<readonly string[] | PortError> {
  if (net.isIP(host) !== 0) return [host];
  // Only addresses of families that this host has; but a host without a network still knows itself.
  for (const hints of [ADDRCONFIG, 0]) {
    try {
      const found = await lookup(systemText(host), { family, all: true, hints });
      return [...new Set(found.map(({ address }) => address))];
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOTFOUND')) break;
    }
  }
  return portError('EINVAL', `the host name ${host} cannot be resolved`);
}

function endsOf(socket: net.Socket): Ends {
  return {
    local: endText(socket.localAddress, socket.localPort),
    remote: endText(socket.remoteAddress, socket.remotePort),
    peerUid: null,
  };
}

function endText(ip: string | undefined, port: number | undefined): string {
  if (ip === undefined || port === undefined) return UNKNOWN;
  return formatAddress({ kind: 'tcp', family: 0, host: ip, port });
}

/** Node does not tell the path of a Unix socket; it is the address that was dialled, or listened at. */
function dialledEnds(socket: net.Socket, address: string): Ends {
  return { ...endsOf(socket), remote: unixText(address) ?? endsOf(socket).remote };
}

/** Null: nobody is there any more. */
function acceptedEnds(socket: net.Socket, address: string, addon: Addon | null): Ends | null {
  const ends = endsOf(socket);
  const local = unixText(address);
  if (local === null) return ends;
  if (addon === null) return { ...ends, local };
  const peer = addon.peerCredentials(descriptorOf(socket));
  return typeof peer === 'number' ? null : { ...ends, local, peerUid: peer.uid };
}

function unixText(address: string): string | null {
  const where = parseAddress(address, DEFAULT_PORT);
  return !isPortError(where) && where.kind === 'unix' ? formatAddress(where) : null;
}
