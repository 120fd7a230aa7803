/**
 * The network between simulated machines: hosts with addresses, links that can be cut in either direction, and who
 * listens where. The ports of the processes on top of it are in network.ts.
 */
import { assert } from '../core/base/assert.js';
import { Endpoint } from './endpoint.js';
import { Channel, Link } from './link.js';
import type { Latency } from './link.js';
import { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/** Where somebody listens: the kernel's table of one host. `accept` gets the accepting side of a new connection. */
export interface Acceptor {
  accept(endpoint: Endpoint): void;
}

const LAN_LATENCY: Latency = { minLatencyMs: 0.05, maxLatencyMs: 1 };
const LOCAL_LATENCY: Latency = { minLatencyMs: 0.01, maxLatencyMs: 0.05 };
const FIRST_EPHEMERAL_PORT = 49_152;

export class Host {
  readonly name: string;
  readonly ips: readonly string[];
  /** True: connections to this host are refused although somebody listens. */
  refuses = false;
  readonly acceptors = new Map<string, Acceptor>();
  readonly #endpoints = new Set<Endpoint>();
  #up = true;
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(name: string, ips: readonly string[]) {
    this.name = name;
    this.ips = ips;
  }

  get up(): boolean {
    return this.#up;
  }

  nextPort(): number {
    return this.#nextPort++;
  }

  own(endpoint: Endpoint): void {
    this.#endpoints.add(endpoint);
  }

  disown(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint);
  }

  /** Every connection of this host becomes half open: its peers are not told. */
  losePower(): void {
    this.#up = false;
    this.acceptors.clear();
    for (const endpoint of this.#endpoints) endpoint.forget();
  }

  powerOn(): void {
    this.#up = true;
    for (const endpoint of this.#endpoints) endpoint.remember();
    this.#endpoints.clear();
  }

  /** Resets every open connection, as a firewall may. */
  resetConnections(): void {
    for (const endpoint of this.#endpoints) endpoint.reset();
  }

  /** Who listens at `ip`:`port`, there or at any address. */
  acceptorAt(ip: string, port: number): Acceptor | null {
    const any = ip.includes(':') ? '::' : '0.0.0.0';
    return this.acceptors.get(tcpKey(ip, port)) ?? this.acceptors.get(tcpKey(any, port)) ?? null;
  }
}

export function tcpKey(ip: string, port: number): string {
  return `${ip}|${port}`;
}

export function unixKey(path: string): string {
  return `uds|${path}`;
}

export class Lan {
  readonly #scheduler: Scheduler;
  readonly #seed: number;
  readonly #hosts: Host[] = [];
  readonly #links = new Map<string, Link>();

  constructor(scheduler: Scheduler, seed: number) {
    this.#scheduler = scheduler;
    this.#seed = seed;
  }

  addHost(name: string, ips: readonly string[]): Host {
    const host = new Host(name, ips);
    this.#hosts.push(host);
    return host;
  }

  /** Packets from `from` to `to` vanish until `heal`. */
  cut(from: string, to: string): void {
    this.link(this.#named(from), this.#named(to)).cut();
  }

  heal(from: string, to: string): void {
    this.link(this.#named(from), this.#named(to)).heal();
  }

  link(from: Host, to: Host): Link {
    const name = `${from.name}->${to.name}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      const latency = from === to ? LOCAL_LATENCY : LAN_LATENCY;
      link = new Link(this.#scheduler, new Random(this.#seed, `link ${name}`), latency);
      this.#links.set(name, link);
    }
    return link;
  }

  /** The addresses of a name or of a literal; none when nobody has that name. */
  lookUp(name: string): readonly string[] {
    if (isLiteral(name)) return [name];
    if (name === 'localhost') return ['127.0.0.1'];
    return this.#hosts.find((candidate) => candidate.name === name)?.ips ?? [];
  }

  /** The host that has `ip`, as seen from `host`. */
  hostOf(host: Host, ip: string): Host | null {
    if (ip === '::1' || ip.startsWith('127.')) return host;
    return this.#hosts.find((candidate) => candidate.ips.includes(ip)) ?? null;
  }

  /**
   * Sends a connection request to whoever `acceptorOf` finds at `to` when it gets there; a dark host does not answer.
   */
  connect(from: Host, to: Host, dialler: Endpoint, acceptorOf: () => Acceptor | null): void {
    const inward = this.link(to, from);
    new Channel(this.link(from, to)).transmit(() => {
      if (!to.up) return;
      const acceptor = to.refuses ? null : acceptorOf();
      if (acceptor === null) {
        dialler.refuse(new Channel(inward));
        return;
      }
      const endpoint = new Endpoint(dialler.remoteAddress, dialler.localAddress, new Channel(inward));
      to.own(endpoint);
      endpoint.acceptFrom(dialler);
      acceptor.accept(endpoint);
    });
  }

  #named(name: string): Host {
    const host = this.#hosts.find((candidate) => candidate.name === name);
    assert(host !== undefined, `no host ${name}`);
    return host;
  }
}

function isLiteral(name: string): boolean {
  return name.includes(':') || /^[0-9.]+$/.test(name);
}
