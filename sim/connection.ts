/**
 * A connection between two machines, or within one: two channels, and an endpoint at each end. The accepting one comes
 * to be when the request arrives.
 */
import { unreachable } from '../core/base/assert.js';
import { Channel, type PacketKind } from './channel.js';
import { Endpoint } from './endpoint.js';
import type { Acceptor, Host, Lan } from './lan.js';
import type { Scheduler } from './scheduler.js';

export interface ConnectionEnds {
  readonly from: Host;
  readonly to: Host;
  /** As the dialler's socket tells them. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** Null: a Unix socket, which has none. */
  readonly fromIp: string | null;
  readonly toIp: string | null;
}

export class Connection {
  readonly lan: Lan;
  readonly ends: ConnectionEnds;
  readonly dialler: Endpoint;
  acceptor: Endpoint | null = null;
  /** From the dialler to the acceptor, and back. */
  readonly there: Channel;
  readonly back: Channel;
  /** Counts the connections of a LAN from 1, in the order in which they were requested. */
  number = 0;
  /** An end has an address that its host does not have any more: nothing arrives. */
  isAstray = false;
  #acceptorOf: () => Acceptor | null = () => null;

  constructor(scheduler: Scheduler, lan: Lan, ends: ConnectionEnds) {
    const { from, to } = ends;
    this.lan = lan;
    this.ends = ends;
    this.there = new Channel(scheduler, this, lan.linkBetween(from, to));
    this.back = new Channel(scheduler, this, lan.linkBetween(to, from));
    this.dialler = new Endpoint(ends.localAddress, ends.remoteAddress, this.back, this.there);
    from.own(this.dialler);
  }

  /** Asks to be accepted by whoever `acceptorOf` finds when the request arrives. */
  request(acceptorOf: () => Acceptor | null): void {
    this.#acceptorOf = acceptorOf;
    this.number = this.lan.nextConnectionNumber();
    this.lan.enter(this);
    this.there.send('request');
  }

  /** Either end can still hear something. */
  get isLive(): boolean {
    return this.dialler.isLive || this.acceptor?.isLive === true;
  }

  /** Both ends get a reset, whatever is cut, as from a firewall between them. */
  reset(): void {
    this.dialler.reset();
    this.acceptor?.reset();
  }

  /** A packet without bytes has arrived. */
  arrived(channel: Channel, kind: Exclude<PacketKind, 'data'>): void {
    switch (kind) {
      case 'request':
        this.#requested();
        return;
      case 'answer':
        this.dialler.answered();
        return;
      case 'refusal':
        this.dialler.refused();
        return;
      case 'end':
        channel.receiver?.ended();
        return;
      case 'reset':
        channel.receiver?.reset();
        return;
      default:
        unreachable(kind);
    }
  }

  /** An end is gone for good. */
  lostEnd(): void {
    if (!this.isLive) this.lan.leave(this);
  }

  /** Addresses have changed. */
  readdressed(): void {
    const { from, to, fromIp, toIp } = this.ends;
    this.isAstray = (fromIp !== null && !from.has(fromIp)) || (toIp !== null && !to.has(toIp));
  }

  #requested(): void {
    const { ends, lan, back, there } = this;
    const acceptor = ends.to.refuses ? null : this.#acceptorOf();
    if (acceptor === null) {
      lan.observer?.refused(this);
      back.send('refusal');
      return;
    }
    const endpoint = new Endpoint(ends.remoteAddress, ends.localAddress, there, back);
    this.acceptor = endpoint;
    ends.to.own(endpoint);
    endpoint.accept();
    lan.enter(this);
    lan.observer?.opened(this);
    acceptor.accept(endpoint);
  }
}
