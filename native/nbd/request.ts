/**
 * One NBD request on its way through the device, in a pooled slot. The slot is taken when the header arrives and
 * given back when the last byte of the reply was handed to the system, so slots and slab bound everything that a
 * client can make us hold.
 *
 *   free -> receiving (WRITE payload) -> submitted <-> stepping -> answered -> free
 *
 * Some NBD requests are several of the device's, one after the other: a WRITE with FUA is a write and a flush,
 * WRITE_ZEROES is a row of writes. The slot is itself the DeviceRequest the core sees, and its `id`.
 */
import type { DeviceCommand, DeviceGeometry, DeviceRequest } from '../../core/ports/device.js';
import type { PortError } from '../../core/ports/error.js';
import type { RequestHeader } from './protocol.js';
import type { NbdConnection } from './connection.js';
import { viewOf } from '../../core/base/bytes.js';
import { portError } from '../../core/ports/error.js';
import { MAX_PAYLOAD_BYTES } from './negotiation.js';
import { COMMAND, COMMAND_FLAG, DATA_CHUNK_BYTES } from './protocol.js';

/** WRITE_ZEROES writes from here, piece by piece; the core recognises zeros and sends them as `hole`. */
const ZEROES = new Uint8Array(4 << 20);

export class NbdRequest implements DeviceRequest {
  readonly id: number;
  command: DeviceCommand = 'flush';
  offset = 0;
  length = 0;
  data: Uint8Array | null = null;

  state: 'free' | 'receiving' | 'submitted' | 'stepping' | 'answered' = 'free';
  connection: NbdConnection | null = null;
  cookieHigh = 0;
  cookieLow = 0;
  isRead = false;
  /** Why it is answered without having been submitted. */
  refusal: PortError | null = null;
  /** The slab's piece behind `data`; 0 bytes when there is none. */
  slabOffset = 0;
  slabLength = 0;

  /** The reply's header, which precedes a READ's data. */
  readonly reply = new Uint8Array(DATA_CHUNK_BYTES);
  readonly replyView = viewOf(this.reply);
  /** The connection's count of sent bytes at which the reply is out. */
  replyEnd = 0;
  /** The reply queued after this one. */
  nextReply: NbdRequest | null = null;

  #flushAfter = false;
  /** Bytes of zeroes still to be written after the current piece. */
  #zeroesLeft = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** Takes over a header that `refusalOf` let pass (or `refusal` says why not). */
  begin(connection: NbdConnection, header: Readonly<RequestHeader>, refusal: PortError | null): void {
    this.connection = connection;
    this.cookieHigh = header.cookieHigh;
    this.cookieLow = header.cookieLow;
    this.command = deviceCommand(header.type);
    this.isRead = header.type === COMMAND.read;
    this.refusal = refusal;
    this.offset = header.offset;
    this.length = header.length;
    const writes = this.command === 'write' || this.command === 'delete';
    this.#flushAfter = writes && (header.flags & COMMAND_FLAG.fua) !== 0;
    this.#zeroesLeft = 0;
    if (header.type === COMMAND.writeZeroes) {
      this.#zeroesLeft = header.length;
      this.#nextZeroes();
    }
  }

  /** Turns the slot into the device request that follows; false when there is none and the client can be answered. */
  advance(): boolean {
    if (this.#zeroesLeft > 0) {
      this.offset += this.length;
      this.#nextZeroes();
      return true;
    }
    if (!this.#flushAfter) return false;
    this.#flushAfter = false;
    this.command = 'flush';
    this.offset = 0;
    this.length = 0;
    this.data = null;
    return true;
  }

  #nextZeroes(): void {
    this.length = Math.min(this.#zeroesLeft, ZEROES.length);
    this.#zeroesLeft -= this.length;
    this.data = ZEROES.subarray(0, this.length);
  }
}

function deviceCommand(type: number): DeviceCommand {
  switch (type) {
    case COMMAND.read:
      return 'read';
    case COMMAND.write:
    case COMMAND.writeZeroes:
      return 'write';
    case COMMAND.trim:
      return 'delete';
    default:
      return 'flush';
  }
}

/** Flags a client may set, by command; a command that is not here is not served. FUA is harmless everywhere. */
const ALLOWED_FLAGS: Readonly<Record<number, number>> = {
  [COMMAND.read]: COMMAND_FLAG.fua | COMMAND_FLAG.dontFragment,
  [COMMAND.write]: COMMAND_FLAG.fua,
  [COMMAND.flush]: COMMAND_FLAG.fua,
  [COMMAND.trim]: COMMAND_FLAG.fua,
  [COMMAND.writeZeroes]: COMMAND_FLAG.fua | COMMAND_FLAG.noHole,
};

/** Bytes of slab a request needs. */
export function payloadBytes(header: Readonly<RequestHeader>): number {
  return header.type === COMMAND.read || header.type === COMMAND.write ? header.length : 0;
}

/** Why the request cannot be served, in the protocol's error codes; null when it can. */
export function refusalOf(header: Readonly<RequestHeader>, geometry: DeviceGeometry): PortError | null {
  const allowed = ALLOWED_FLAGS[header.type];
  if (allowed === undefined) return portError('EINVAL', `command ${header.type.toString()} is not known`);
  if ((header.flags & ~allowed) !== 0) {
    return portError('EINVAL', `command flags 0x${header.flags.toString(16)} are not known`);
  }
  const { offset, length } = header;
  if (header.type === COMMAND.flush) {
    return offset === 0 && length === 0 ? null : portError('EINVAL', 'a flush has neither offset nor length');
  }
  const range = `${length.toString()} bytes at ${offset.toString()}`;
  if (offset + length > geometry.mediaSize) {
    const writes = header.type === COMMAND.write || header.type === COMMAND.writeZeroes;
    return portError(writes ? 'ENOSPC' : 'EINVAL', `${range}: beyond the device's end`);
  }
  if (offset % geometry.sectorSize !== 0 || length % geometry.sectorSize !== 0) {
    return portError('EINVAL', `${range}: not whole sectors of ${geometry.sectorSize.toString()} bytes`);
  }
  if (payloadBytes(header) > MAX_PAYLOAD_BYTES) {
    return portError('EINVAL', `${range}: more than ${MAX_PAYLOAD_BYTES.toString()} bytes at once`);
  }
  return null;
}
