/**
 * The world of one replay: two hosts with a node of ours on each, on virtual time. One node is under test; the other one
 * may help to bring about the recorded history, and leaves its address to the scripted peer.
 */
import { DEFAULT_SYNCRATE } from '../../../core/config/defaults.js';
import { isPortError } from '../../../core/ports/error.js';
import type { Role } from '../../../core/resource/types.js';
import { decodeStatusReply, type StatusEntry } from '../../../core/control/replies.js';
import { encodeControlRequest, type ControlRequest } from '../../../core/control/requests.js';
import { encodeFrame, HEADER_BYTES, PROTOCOL_VERSION } from '../../../core/wire/frame.js';
import { decodeNv } from '../../../core/wire/nv-list.js';
import type { SimNetwork } from '../../../sim/network.js';
import { Lan, type Host } from '../../../sim/lan.js';
import { Scheduler } from '../../../sim/scheduler.js';
import { SimMachine } from '../../../sim/machine.js';
import { ReplayNode } from './node.js';
import type { Header, Initial, NodeState, Side } from './recording.js';

const SEED = 1;
const ADDRESSES = { primary: '10.0.0.1', secondary: '10.0.0.2', stranger: '10.0.0.3' } as const;

export class Stage {
  readonly scheduler = new Scheduler();
  readonly nodes: Readonly<Record<Side, ReplayNode>>;
  readonly initial: Initial;
  readonly #lan = new Lan(this.scheduler, SEED);
  readonly #stranger: Host = this.#lan.addHost('stranger', [ADDRESSES.stranger]);

  constructor({ initial }: Header) {
    this.initial = initial;
    this.nodes = { primary: this.#newNode('primary'), secondary: this.#newNode('secondary') };
  }

  /** What the resource is called on that node, which may not know the recorded one. */
  resourceOf(side: Side): string {
    return this.initial[side]?.configured === false ? 'another' : this.initial.resource;
  }

  stateOf(side: Side): NodeState {
    const state = this.initial[side] ?? this.initial[otherSide(side)];
    if (state === null) throw new Error('a recording describes one node at least');
    return state;
  }

  setRole(side: Side, role: Role): void {
    this.#control(side, { kind: 'setrole', role, force: false, names: [this.resourceOf(side)] });
  }

  status(side: Side): StatusEntry | null {
    const reply = this.#control(side, { kind: 'status', names: [this.resourceOf(side)] });
    const list = reply === null ? null : decodeNv(reply.subarray(HEADER_BYTES));
    const entry = list === null || isPortError(list) ? undefined : decodeStatusReply(list).entries[0];
    return entry?.kind === 'status' ? entry : null;
  }

  /** The network as a program on the host of `side` has it, or on a host that no configuration names. */
  network(side: Side | 'stranger'): SimNetwork {
    if (side !== 'stranger') return this.nodes[side].machine.boot('scripted peer').network;
    return new SimMachine(this.scheduler, this.#lan, this.#stranger, [], SEED).boot('stranger').network;
  }

  addressOf(side: Side): string {
    return addressOf(side);
  }

  #control(side: Side, request: ControlRequest): Uint8Array | null {
    return this.nodes[side].control([encodeFrame(PROTOCOL_VERSION, encodeControlRequest(request))]);
  }

  #newNode(side: Side): ReplayNode {
    const host = this.#lan.addHost(side, [ADDRESSES[side]]);
    const { replication, checksum, compression, timeout } = this.initial;
    const name = this.resourceOf(side);
    const config = {
      ...{ name, provname: name, localpath: `/${side}`, remoteaddr: addressOf(otherSide(side)) },
      ...{
        sourceaddr: '',
        replication,
        checksum,
        compression,
        timeout,
        exec: '',
        metaflush: true,
        syncrate: DEFAULT_SYNCRATE,
      },
    };
    const where = { control: `uds:///run/${side}`, listen: addressOf(side) };
    const { mediasize } = this.stateOf(side);
    return new ReplayNode(this.scheduler, this.#lan, host, where, [{ config, mediaSize: mediasize }]);
  }
}

export function otherSide(side: Side): Side {
  return side === 'primary' ? 'secondary' : 'primary';
}

function addressOf(side: Side): string {
  return `tcp4://${ADDRESSES[side]}`;
}
