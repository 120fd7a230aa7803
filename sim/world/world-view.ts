/** The world as an outsider sees it; what judges and conditions are told from. */
import type { ReplicationMode } from '../../core/config/types.js';
import type { Metadata } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import type { Role, WorkerStatus } from '../../core/resource/types.js';
import type { ClientRequest } from '../checkers/checker.js';
import type { View } from '../checkers/view.js';
import type { SimMedium } from '../medium.js';
import { BLOCK_BYTES, ofNode, type NodeName, type Setup } from '../script/script.js';
import { MetadataReader } from './metadata-reader.js';
import type { World } from './world.js';

const WORDS = BLOCK_BYTES / 4;
/** A reload of the mode concerns requests that are issued from then on. */
const MODE_SETTLES_MS = 20_000;

/** Metadata as of a version of the medium. */
interface Known {
  version: number;
  metadata: Metadata | null;
}

export class WorldView implements View {
  readonly setup: Setup;
  readonly blocks: number;
  readonly extents: number;
  readonly blocksPerExtent: number;
  readonly dataOffset: number;
  readonly #world: World;
  readonly #firstWord: number;
  readonly #readers = { a: new MetadataReader(), b: new MetadataReader() };
  readonly #visible: Record<NodeName, Known> = { a: unknown(), b: unknown() };
  readonly #durable: Record<NodeName, Known> = { a: unknown(), b: unknown() };

  constructor(world: World, setup: Setup, dataOffset: number) {
    this.#world = world;
    this.setup = setup;
    this.dataOffset = dataOffset;
    this.extents = setup.extents;
    this.blocksPerExtent = setup.extentBytes / BLOCK_BYTES;
    this.blocks = setup.extents * this.blocksPerExtent;
    this.#firstWord = dataOffset / 4;
  }

  nowMs(): number {
    return this.#world.scheduler.nowMs;
  }

  visible(node: NodeName, block: number): number {
    return this.#mediumOf(node).visibleWords[this.#firstWord + block * WORDS] ?? 0;
  }

  durable(node: NodeName, block: number): number {
    if (!this.canFlush(node)) return this.visible(node, block);
    return this.#mediumOf(node).durableWords[this.#firstWord + block * WORDS] ?? 0;
  }

  visibleBit(node: NodeName, extent: number): boolean {
    return isSet(this.#mediumOf(node).visible, extent);
  }

  durableBit(node: NodeName, extent: number): boolean {
    if (!this.canFlush(node)) return this.visibleBit(node, extent);
    return isSet(this.#mediumOf(node).durable, extent);
  }

  metadata(node: NodeName): Metadata | null {
    const medium = this.#mediumOf(node);
    return this.#read(node, medium.visible, medium.visibleMetadataVersion, ofNode(this.#visible, node));
  }

  durableMetadata(node: NodeName): Metadata | null {
    if (!this.canFlush(node)) return this.metadata(node);
    const medium = this.#mediumOf(node);
    return this.#read(node, medium.durable, medium.durableMetadataVersion, ofNode(this.#durable, node));
  }

  decode(node: NodeName, block: Uint8Array): Metadata | null {
    const { medium, resource } = this.#world.nodes[node];
    const { mediaSize, sectorSize } = medium;
    return this.#readers[node].read(block, { resource: resource.name, mediaSize, sectorSize });
  }

  role(node: NodeName): Role {
    return this.#world.nodes[node].role;
  }

  isEnding(node: NodeName): boolean {
    return this.#world.nodes[node].isEnding;
  }

  isUp(node: NodeName): boolean {
    return this.#world.nodes[node].alive;
  }

  hasWorker(node: NodeName): boolean {
    return this.#world.nodes[node].hasWorker;
  }

  status(node: NodeName): WorkerStatus | null {
    return this.#world.nodes[node].status;
  }

  mode(node: NodeName): ReplicationMode {
    return this.#world.nodes[node].resource.replication;
  }

  modeSettled(): boolean {
    return this.nowMs() - this.#world.reloadedMs > MODE_SETTLES_MS;
  }

  underWay(node: NodeName, block: number): boolean {
    for (const request of this.#world.client.seats[node].outstanding.values()) {
      if (request.write !== 0 && block >= request.block && block < request.block + request.count) return true;
    }
    return false;
  }

  diskWasBad(node: NodeName): boolean {
    return this.#world.badDisks.has(node);
  }

  canFlush(node: NodeName): boolean {
    const { flushless } = this.#world;
    return flushless.size === 0 || !flushless.has(node);
  }

  disturbed(): boolean {
    return this.#world.disturbed;
  }

  outstanding(): number {
    return this.#world.client.outstanding;
  }

  oldest(node: NodeName): ClientRequest | null {
    for (const request of this.#world.client.seats[node].outstanding.values()) return request;
    return null;
  }

  nodeCalmMs(node: NodeName): number {
    return this.#world.weather.nodeCalmMs(node);
  }

  linksCalmMs(): number {
    return this.#world.weather.linksCalmMs();
  }

  slowAtMs(): number {
    return this.#world.weather.slowAtMs;
  }

  deafMs(node: NodeName): number {
    return this.#world.weather.deafMs(node);
  }

  #mediumOf(node: NodeName): SimMedium {
    return ofNode(this.#world.nodes, node).medium;
  }

  #read(node: NodeName, image: Uint8Array, version: number, known: Known): Metadata | null {
    if (known.version === version) return known.metadata;
    known.version = version;
    known.metadata = this.decode(node, image);
    return known.metadata;
  }
}

function isSet(image: Uint8Array, extent: number): boolean {
  return ((image[METADATA_BYTES + (extent >> 3)] ?? 0) & (1 << (extent & 7))) !== 0;
}

function unknown(): Known {
  return { version: -1, metadata: null };
}
