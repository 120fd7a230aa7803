import { newBuffer } from '../base/slab.js';
import type { Metadata } from '../metadata/codec.js';
import { isPortError, portError, type PortError } from '../ports/error.js';
import type { WorkerPorts } from '../resource/worker.js';
import type { Connection, ConnectionSink } from '../wire/connection.js';
import { decodeNv, type NvList } from '../wire/nv-list.js';
import { openPayload, payloadFits, readPayloadSpec, type PayloadSpec } from '../wire/payload.js';
import type { Following } from '../wire/reader.js';
import { decodeRequest, type IoRequest, type RejectedRequest } from '../wire/request-messages.js';
import type { Executor, Order } from './executor.js';

/** Longest READ or WRITE accepted from any peer: MAXPHYS of 64-bit FreeBSD since 13 (core/spec/wire.md section 9). */
const MAX_REQUEST_BYTES = 1024 * 1024;

export interface ReceiverOwner {
  lost(error: PortError): void;
  /** The primary (one of ours) says whether this copy is complete (W8); nothing is received until `stored`. */
  announced(insync: boolean, stored: () => void): void;
}

/**
 * Receives requests on connection A and checks everything a peer declares (core/spec/wire.md section 8.1). What fails
 * the checks is answered, its data dropped from the stream (W23); what makes no sense ends the session. Only a WRITE whose
 * data has arrived whole, verified and of exactly its length, is executed (W22, I23, I24).
 */
export class Receiver implements ConnectionSink {
  readonly #ports: WorkerPorts;
  readonly #metadata: Metadata;
  readonly #executor: Executor;
  readonly #connA: Connection;
  readonly #owner: ReceiverOwner;
  /** Reasons why nothing is received now. */
  #holds = 0;
  #write: { request: IoRequest; spec: PayloadSpec; received: Uint8Array; data: Uint8Array } | null = null;

  constructor(
    ports: WorkerPorts,
    metadata: Metadata,
    executor: Executor,
    connA: Connection,
    owner: ReceiverOwner,
  ) {
    this.#ports = ports;
    this.#metadata = metadata;
    this.#executor = executor;
    this.#connA = connA;
    this.#owner = owner;
  }

  /** Nothing is received any more. */
  stop(): void {
    this.#hold();
  }

  connected(): void {
    // The connection was made long ago.
  }

  lost(error: PortError | null): void {
    this.#owner.lost(error ?? portError('ENOTCONN', 'Socket is not connected'));
  }

  listReceived(_version: number, bytes: Uint8Array): Following {
    const list = decodeNv(bytes);
    const request = isPortError(list) ? list : decodeRequest(list);
    if (isPortError(request) || isPortError(list)) {
      this.#owner.lost(isPortError(request) ? request : portError('EPROTO', 'invalid message'));
      return null;
    }
    if (request.command === 'keepalive') {
      if (request.insync !== null) this.#announced(request.insync);
      return null;
    }
    if (request.command === 'rejected') return this.#reject(request, list);
    const fault = this.#faultOf(request);
    if (fault !== null) {
      const { command, seq, memsync } = request;
      return this.#reject({ command: 'rejected', rejected: command, seq, memsync, error: fault }, list);
    }
    if (request.command === 'write') return this.#expectData(request, list);
    const data = request.command === 'read' ? this.#executor.newData(request.length) : null;
    this.#executor.execute(orderOf(request, data));
    this.#backPressure();
    return null;
  }

  payloadReceived(): void {
    const write = this.#write;
    this.#write = null;
    if (write === null) return;
    const { request, spec, received, data } = write;
    const error = openPayload(this.#ports.codecs, spec, received, data);
    if (error !== null) {
      this.#owner.lost(error);
      return;
    }
    this.#executor.execute(orderOf(request, data));
    this.#backPressure();
  }

  #expectData(request: IoRequest, list: NvList): Following {
    const spec = readPayloadSpec(list);
    if (spec === null || isPortError(spec)) {
      this.#owner.lost(spec ?? portError('EPROTO', 'a WRITE without data'));
      return null;
    }
    const misfit = payloadFits(spec, request.length);
    if (misfit !== null) {
      this.#owner.lost(misfit);
      return null;
    }
    const data = this.#executor.newData(request.length);
    const received = spec.compression === 'none' ? data : newBuffer(spec.size);
    this.#write = { request, spec, received, data };
    return received;
  }

  #reject(rejected: RejectedRequest, list: NvList): Following {
    this.#executor.reject(rejected.rejected, rejected.seq, rejected.memsync, rejected.error);
    const size = rejected.rejected === 'write' ? (list.number('size', 'uint32') ?? 0) : 0;
    return size === 0 ? null : { skip: size };
  }

  #faultOf(request: IoRequest): PortError | null {
    const { command, offset, length } = request;
    if (command === 'flush') return null;
    const sector = this.#ports.disk.sectorSize;
    const { datasize } = this.#metadata;
    if (length === 0) return refusal(request, 'nothing to do');
    if (command !== 'delete' && length > MAX_REQUEST_BYTES) return refusal(request, 'too long');
    if (offset % sector !== 0 || length % sector !== 0)
      return refusal(request, `not a multiple of the sector size ${String(sector)}`);
    if (offset + length > datasize) return refusal(request, `beyond the end (${String(datasize)})`);
    return null;
  }

  /** Stops receiving while the executor has all it can hold. */
  #backPressure(): void {
    if (!this.#executor.full) return;
    this.#hold();
    this.#executor.whenRoom(this.#release);
  }

  /** A copy becomes incomplete before its first sector is overwritten. */
  #announced(insync: boolean): void {
    this.#hold();
    this.#owner.announced(insync, this.#release);
  }

  #hold(): void {
    this.#holds++;
    this.#connA.pause();
  }

  readonly #release = (): void => {
    this.#holds--;
    if (this.#holds === 0) this.#connA.resume();
  };
}

function orderOf({ command, seq, offset, length, memsync }: IoRequest, data: Uint8Array | null): Order {
  return { command, seq, offset, length, memsync, data };
}

function refusal({ command, offset, length }: IoRequest, why: string): PortError {
  return portError('EINVAL', `${command} of ${String(length)} bytes at ${String(offset)}: ${why}`);
}
