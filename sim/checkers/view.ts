/** What anybody can see of the world without asking a node: its disks, who lives, who has which role. */
import type { ReplicationMode } from '../../core/config/types.js';
import type { Metadata } from '../../core/metadata/codec.js';
import type { Role, WorkerStatus } from '../../core/resource/types.js';
import type { ClientRequest } from './checker.js';
import type { NodeName, Setup } from '../script/script.js';

export interface View {
  readonly setup: Setup;
  /** Number of blocks of the device. */
  readonly blocks: number;
  readonly extents: number;
  readonly blocksPerExtent: number;
  /** Where the user data begins on a component, bytes. */
  readonly dataOffset: number;
  nowMs(): number;
  /** First word of a block of the copy, as READs of the disk see it: the number of the write that is there. */
  visible(node: NodeName, block: number): number;
  /** The same, if the power failed now and took all that was not flushed. */
  durable(node: NodeName, block: number): number;
  /** The extent's bit of the map on the disk. */
  visibleBit(node: NodeName, extent: number): boolean;
  durableBit(node: NodeName, extent: number): boolean;
  /** What is on the disk, or null when it cannot be understood. */
  metadata(node: NodeName): Metadata | null;
  durableMetadata(node: NodeName): Metadata | null;
  /** What the node would understand of such a block; null: nothing. */
  decode(node: NodeName, block: Uint8Array): Metadata | null;
  role(node: NodeName): Role;
  /** The main daemon runs. */
  isUp(node: NodeName): boolean;
  /** Its main daemon was told to end, and has not ended yet. */
  isEnding(node: NodeName): boolean;
  hasWorker(node: NodeName): boolean;
  /** What `hastctl status` would say; null without a worker that answers. */
  status(node: NodeName): WorkerStatus | null;
  mode(node: NodeName): ReplicationMode;
  /** No request is under way that may have been issued in another mode. */
  modeSettled(node: NodeName): boolean;
  /** A request of the device of `node` that writes the block has no answer yet. */
  underWay(node: NodeName, block: number): boolean;
  /** A fault of the disk is in force on that node, or has been since the nodes last agreed. */
  diskWasBad(node: NodeName): boolean;
  /** False: its disk says that it cannot flush; what it has written counts as durable while it has power. */
  canFlush(node: NodeName): boolean;
  /** Links cut, slow or reset, processes stopped: what takes longer than usual has an excuse. */
  disturbed(): boolean;
  outstanding(): number;
  /** The request of the node's device that waits for its answer the longest. */
  oldest(node: NodeName): ClientRequest | null;
  /** For how long nothing has been wrong with the node's disk and processes, and nobody has done anything to it. */
  nodeCalmMs(node: NodeName): number;
  /** For how long nothing has been wrong with the network. */
  linksCalmMs(): number;
  /** When a link was last slow. */
  slowAtMs(): number;
  /** For how long nothing that the other node sends can have arrived at this one; 0: it can. */
  deafMs(node: NodeName): number;
}
