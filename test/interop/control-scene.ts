/**
 * The daemons of a recording of kind `control`, configured as the replies show, on one host as they were recorded; and how they
 * get into the state that a recorded reply tells of.
 */
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { decodeStatusReply, type StatusEntry } from '../../core/control/replies.js';
import { decodeControlRequest, encodeControlRequest } from '../../core/control/requests.js';
import { createGeometry } from '../../core/metadata/geometry.js';
import { isPortError } from '../../core/ports/error.js';
import type { ResourceConfig } from '../../core/config/types.js';
import type { DeviceCommand } from '../../core/ports/device.js';
import { encodeFrame, PROTOCOL_VERSION } from '../../core/wire/frame.js';
import { Lan } from '../../sim/lan.js';
import { Scheduler } from '../../sim/scheduler.js';
import { bytesOfHex } from './files.js';
import { parseMessage, type Message } from './replay/message.js';
import { ReplayNode, type ConfiguredResource } from './replay/node.js';

export interface RecordedCall {
  readonly case: string;
  readonly node: string;
  readonly argv?: readonly string[];
  /** Absent when the daemon was not asked. */
  readonly request_hex?: string;
  /** Empty: closed without a reply. */
  readonly reply_hex?: string;
  readonly reply_nv?: readonly RecordedPair[];
  readonly reply_version?: number;
}

export interface RecordedPair {
  readonly name: string;
  readonly type: string;
  readonly value: string | number;
}

const SEED = 1;
const MEDIA_BYTES = 1_048_576;
const SECTOR_BYTES = 512;
const DEFAULT_EXTENTSIZE = 8192;
const DEFAULT_KEEPDIRTY = 64;
const REACH_LIMIT_MS = 60_000;
const POLL_MS = 10;
const MOST_REQUESTS = 1_000;

export class ControlScene {
  readonly #scheduler = new Scheduler();
  readonly #nodes: ReadonlyMap<string, ReplayNode>;
  /** The first extent that the application has not written, by node and resource. */
  readonly #untouched = new Map<string, number>();

  constructor(calls: readonly RecordedCall[]) {
    const lan = new Lan(this.#scheduler, SEED);
    const host = lan.addHost('loopback', ['127.0.0.1']);
    const resources = resourcesIn(calls);
    this.#nodes = new Map(
      [...resources].map(([name, entries]) => {
        const where = { control: `uds:///run/${name}`, listen: whereReached(name, resources) };
        const configured = entries.map((entry) => configuredAs(entry));
        const node = new ReplayNode(this.#scheduler, lan, host, where, configured);
        for (const entry of entries) create(node, entry);
        node.start();
        return [name, node];
      }),
    );
  }

  ask({ node, request_hex = '' }: RecordedCall): Message | null {
    const reply = this.#node(node).control([bytesOfHex(request_hex)]);
    return reply === null ? null : parseMessage(reply, new Uint8Array(0));
  }

  /** Makes everything happen that must have happened before the recorded reply. */
  reach(call: RecordedCall): void {
    const node = this.#node(call.node);
    for (const entry of statusesIn(call)) {
      if (entry.status === null) continue;
      if (entry.role === 'primary') {
        if (entry.status === 'degraded') this.#endPeers(call.node, entry);
        this.#work(call.node, node, entry);
      }
      const isReached = (): boolean => {
        const ours = statusOf(node, entry.resource);
        return ours?.status === entry.status && ours.counters.writes === entry.counters.writes;
      };
      const endMs = this.#scheduler.nowMs + REACH_LIMIT_MS;
      while (!isReached() && this.#scheduler.nowMs < endMs) this.#scheduler.runFor(POLL_MS);
    }
  }

  #endPeers(name: string, { remoteaddr }: StatusEntry): void {
    if (remoteaddr === 'none') return;
    for (const [other, node] of this.#nodes) if (other !== name && node.alive) node.stop();
  }

  /** Requests to the device until the counters are what was recorded. */
  #work(name: string, node: ReplayNode, entry: StatusEntry): void {
    const { resource, counters } = entry;
    const application = node.application(resource);
    this.#scheduler.runUntil(() => application.hasDevice, REACH_LIMIT_MS);
    const done = statusOf(node, resource)?.counters;
    if (done === undefined) return;
    const { reads, writes, deletes, flushes } = counters;
    if (reads + writes + deletes + flushes > MOST_REQUESTS) throw new Error('too many requests to be made');
    const submit = (command: DeviceCommand, extent: number): void => {
      const range = { offset: extent * counters.extentsize, length: command === 'flush' ? 0 : SECTOR_BYTES };
      const data = command === 'write' ? new Uint8Array(range.length).fill(1) : null;
      const submitted = application.submit(command, range, data, () => undefined);
      this.#scheduler.runUntil(() => submitted.settled, REACH_LIMIT_MS);
    };
    // As often as the map was updated, a write went where none had been before.
    let fresh = counters.activemapUpdates - done.activemapUpdates;
    for (let i = done.writes; i < writes; i++) {
      const key = `${name} ${resource}`;
      const extent = this.#untouched.get(key) ?? 0;
      if (fresh > 0) this.#untouched.set(key, extent + 1);
      submit('write', fresh > 0 ? extent : 0);
      fresh--;
    }
    for (let i = done.reads; i < reads; i++) submit('read', 0);
    for (let i = done.deletes; i < deletes; i++) submit('delete', 0);
    for (let i = done.flushes; i < flushes; i++) submit('flush', 0);
  }

  #node(name: string): ReplayNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`nothing is recorded of the resources of node ${name}`);
    return node;
  }
}

/** By node, what its replies tell about each of its resources, in the order of its configuration. */
function resourcesIn(calls: readonly RecordedCall[]): Map<string, StatusEntry[]> {
  const nodes = new Map<string, StatusEntry[]>();
  for (const call of calls) {
    const known = nodes.get(call.node) ?? [];
    nodes.set(call.node, known);
    for (const entry of statusesIn(call)) {
      const index = known.findIndex(({ resource }) => resource === entry.resource);
      if (index === -1) known.push(entry);
      else if (knowledgeOf(entry) > knowledgeOf(known[index])) known[index] = entry;
    }
  }
  return nodes;
}

/** Sizes are told by workers only, the number of extents kept dirty by primaries. */
function knowledgeOf(entry: StatusEntry | undefined): number {
  return (entry?.counters.extentsize ?? 0) + (entry?.counters.keepdirty ?? 0);
}

function statusesIn({ request_hex = '', reply_hex = '' }: RecordedCall): StatusEntry[] {
  const request = parseMessage(bytesOfHex(request_hex), new Uint8Array(0)).list;
  const reply = parseMessage(bytesOfHex(reply_hex), new Uint8Array(0)).list;
  const asked = request === null ? null : decodeControlRequest(request);
  if (asked === null || isPortError(asked) || asked.kind !== 'status' || reply === null) return [];
  return decodeStatusReply(reply).entries.filter((entry) => entry.kind === 'status');
}

/** Where the other nodes expect this one. */
function whereReached(name: string, nodes: ReadonlyMap<string, readonly StatusEntry[]>): string {
  const others = [...nodes].filter(([other]) => other !== name).flatMap(([, entries]) => entries);
  return others.find(({ remoteaddr }) => remoteaddr !== 'none')?.remoteaddr ?? 'tcp4://127.0.0.1';
}

function configuredAs(entry: StatusEntry): ConfiguredResource {
  const { resource: name, provname, localpath, remoteaddr } = entry;
  const config = {
    ...{ name, provname, localpath, remoteaddr, sourceaddr: entry.sourceaddr ?? '' },
    replication: entry.replication as ResourceConfig['replication'],
    checksum: entry.checksum as ResourceConfig['checksum'],
    compression: entry.compression as ResourceConfig['compression'],
    ...{ timeout: 20, exec: '', metaflush: true, syncrate: DEFAULT_SYNCRATE },
  };
  return { config, mediaSize: MEDIA_BYTES };
}

/** `hastctl create`. */
function create(node: ReplayNode, { resource, counters }: StatusEntry): void {
  const extentsize = counters.extentsize || DEFAULT_EXTENTSIZE;
  const geometry = createGeometry(MEDIA_BYTES, extentsize, SECTOR_BYTES);
  if (isPortError(geometry)) throw new Error(geometry.message);
  node.writeMetadata(resource, {
    ...{ ...geometry, extentsize, keepdirty: counters.keepdirty || DEFAULT_KEEPDIRTY },
    ...{ resuid: 0n, localcnt: 0n, remotecnt: 0n, prevrole: 'init' },
  });
}

function statusOf(node: ReplayNode, resource: string): StatusEntry | null {
  const request = encodeControlRequest({ kind: 'status', names: [resource] });
  const reply = node.control([encodeFrame(PROTOCOL_VERSION, request)]);
  const list = reply === null ? null : parseMessage(reply, new Uint8Array(0)).list;
  const entry = list === null ? undefined : decodeStatusReply(list).entries[0];
  return entry?.kind === 'status' ? entry : null;
}
