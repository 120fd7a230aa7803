/**
 * The network between simulated machines: hosts with addresses, links between them, connections over the links, and
 * who listens where. Every fault is taken back by its own call or by `healAll`. The ports of the processes on
 * top of it are in network.ts.
 */
import { assert } from '../core/base/assert.js';
import { BufferPool } from './byte-queue.js';
import type { Channel } from './channel.js';
import { Connection, type ConnectionEnds } from './connection.js';
import type { Endpoint } from './endpoint.js';
import { LAN_CONDITIONS, Link, LOCAL_CONDITIONS } from './link.js';
import { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/** Where somebody listens: the kernel's table of one host. `accept` gets the accepting side of a new connection. */
export interface Acceptor {
  accept(endpoint: Endpoint): void;
}

/** Sees what passes, for tools. `bytes` of `sent` are lent for the call. */
export interface LanObserver {
  /** The request was accepted. */
  opened(connection: Connection): void;
  refused(connection: Connection): void;
  sent(channel: Channel, bytes: Uint8Array): void;
  delivered(channel: Channel, bytes: number): void;
  /** Neither end is open any more. */
  closed(connection: Connection): void;
}

const FIRST_EPHEMERAL_PORT = 49_152;

export class Host {
  readonly lan: Lan;
  readonly name: string;
  readonly acceptors = new Map<string, Acceptor>();
  /** True: connections to this host are refused although somebody listens. */
  refuses = false;
  /** Random numbers of its kernel. */
  readonly random: Random;
  readonly #endpoints = new Set<Endpoint>();
  #ips: readonly string[];
  #hangs = false;
  #up = true;
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(lan: Lan, seed: number, name: string, ips: readonly string[]) {
    this.lan = lan;
    this.name = name;
    this.random = new Random(seed, `kernel ${name}`);
    this.#ips = ips;
  }

  get ips(): readonly string[] {
    return this.#ips;
  }

  /** Gives the host other addresses: connections over the old ones fall silent while it does not have them. */
  set ips(ips: readonly string[]) {
    this.#ips = ips;
    this.lan.readdressed();
  }

  /** Does this host know `ip` as its own? */
  has(ip: string): boolean {
    return isLoopback(ip) || this.#ips.includes(ip);
  }

  get up(): boolean {
    return this.#up;
  }

  get hangs(): boolean {
    return this.#hangs;
  }

  /** True: requests for connections are not answered before it is false again. Connections are not touched. */
  set hangs(hangs: boolean) {
    this.#hangs = hangs;
    this.lan.resume();
  }

  /** Does a request for a connection get any answer? */
  get answers(): boolean {
    return this.#up && !this.#hangs;
  }

  /** No fault any more; power and addresses are not the network's business. */
  restore(): void {
    this.refuses = false;
    this.hangs = false;
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
    if (this.#up) return;
    this.#up = true;
    for (const endpoint of this.#endpoints) endpoint.remember();
    this.#endpoints.clear();
    this.lan.resume();
  }

  /** Resets every connection from and to this host at both ends, as a firewall may. */
  resetConnections(): void {
    for (const connection of this.lan.connections()) {
      const { from, to } = connection.ends;
      if (from === this || to === this) connection.reset();
    }
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

/** Of all worlds: most queues are empty most of the time, and what is in a buffer concerns its queue only. */
const BUFFERS = new BufferPool();

export class Lan {
  observer: LanObserver | null = null;
  /** For bytes on their way. */
  readonly buffers = BUFFERS;
  readonly #scheduler: Scheduler;
  readonly #seed: number;
  readonly #hosts: Host[] = [];
  readonly #links = new Map<string, Link>();
  /** In the order in which they were requested. */
  readonly #connections: Connection[] = [];
  #requests = 0;

  constructor(scheduler: Scheduler, seed: number) {
    this.#scheduler = scheduler;
    this.#seed = seed;
  }

  addHost(name: string, ips: readonly string[]): Host {
    const host = new Host(this, this.#seed, name, ips);
    this.#hosts.push(host);
    return host;
  }

  host(name: string): Host {
    const host = this.#hosts.find((candidate) => candidate.name === name);
    assert(host !== undefined, `no host ${name}`);
    return host;
  }

  link(from: string, to: string): Link {
    return this.linkBetween(this.host(from), this.host(to));
  }

  /** Packets from `from` to `to` vanish until `heal`. */
  cut(from: string, to: string): void {
    this.link(from, to).cut();
  }

  heal(from: string, to: string): void {
    this.link(from, to).heal();
  }

  /** No fault of the network is in force. */
  get isUsual(): boolean {
    for (const host of this.#hosts) if (host.refuses || host.hangs) return false;
    for (const link of this.#links.values()) if (!link.isUsual) return false;
    for (const { there, back } of this.#connections) if (there.isFaulty || back.isFaulty) return false;
    return true;
  }

  /**
   * Takes every fault back, also those of single channels; what was under way is sent again. Hosts keep the addresses
   * they have.
   */
  healAll(): void {
    for (const host of this.#hosts) host.restore();
    for (const link of this.#links.values()) link.restore();
    for (const { there, back } of this.#connections) {
      for (const channel of [there, back]) {
        channel.heal();
        channel.resend();
      }
    }
  }

  /** The connections with an end that is not closed, in the order in which they were requested. */
  connections(): readonly Connection[] {
    return [...this.#connections];
  }

  /** The direction from `from` to `to` of every connection between the two, whoever dialled; in the same order. */
  channels(from: string, to: string): readonly Channel[] {
    const channels = this.#connections.flatMap(({ there, back }) => [there, back]);
    return channels.filter(({ link }) => link.from.name === from && link.to.name === to);
  }

  /** The addresses of a name or of a literal; none when nobody has that name. */
  lookUp(name: string): readonly string[] {
    if (isLiteral(name)) return [name];
    if (name === 'localhost') return ['127.0.0.1'];
    return this.#hosts.find((candidate) => candidate.name === name)?.ips ?? [];
  }

  /** The host that has `ip`, as seen from `host`. */
  hostOf(host: Host, ip: string): Host | null {
    if (isLoopback(ip)) return host;
    return this.#hosts.find((candidate) => candidate.ips.includes(ip)) ?? null;
  }

  newConnection(ends: ConnectionEnds): Connection {
    return new Connection(this.#scheduler, this, ends);
  }

  linkBetween(from: Host, to: Host): Link {
    const name = `${from.name}->${to.name}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = new Link(this.#seed, from, to, from === to ? LOCAL_CONDITIONS : LAN_CONDITIONS);
      this.#links.set(name, link);
    }
    return link;
  }

  /** Resets every connection between two hosts, at both ends. */
  resetConnections(one: Host, other: Host): void {
    for (const connection of this.connections()) {
      const { from, to } = connection.ends;
      if ((from === one && to === other) || (from === other && to === one)) connection.reset();
    }
  }

  nextConnectionNumber(): number {
    return ++this.#requests;
  }

  /** An end of the connection is open: it was requested, or accepted although the dialler has given up. */
  enter(connection: Connection): void {
    if (this.#connections.includes(connection)) return;
    this.#connections.push(connection);
    this.#connections.sort((one, other) => one.number - other.number);
  }

  /** Both ends of a connection are gone. */
  leave(connection: Connection): void {
    const index = this.#connections.indexOf(connection);
    if (index < 0) return;
    this.#connections.splice(index, 1);
    this.observer?.closed(connection);
  }

  /** Something was healed: what can go on does. */
  resume(): void {
    for (const { there, back } of this.#connections) {
      there.resume();
      back.resume();
    }
  }

  /** A host has other addresses. */
  readdressed(): void {
    for (const connection of this.#connections) connection.readdressed();
    this.resume();
  }
}

function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}

function isLiteral(name: string): boolean {
  return name.includes(':') || /^[0-9.]+$/.test(name);
}
