/**
 * Requests (connection A, primary to secondary) and their replies (connection B) as values (core/spec/wire.md
 * section 8). One goes by for every piece of device I/O, so numbers are numbers: offsets, lengths and sequence
 * numbers up to 2^53-1. Data and its fields are `payload.ts`'s business.
 */
import { portError, type PortError } from '../ports/error.js';
import { codeOfErrno, errnoOf } from './errno.js';
import type { NvList } from './nv-list.js';
import { nv, type NvPair } from './nv.js';

export type IoCommand = 'read' | 'write' | 'delete' | 'flush';

export interface IoRequest {
  readonly command: IoCommand;
  /** Not 0; unique among outstanding requests; echoed in replies. */
  readonly seq: number;
  /** Bytes from the start of the device. FLUSH: 0. */
  readonly offset: number;
  /** Bytes. FLUSH: 0. */
  readonly length: number;
  /** WRITE: answer once when the data is in memory (`received`) and again when it is written. */
  readonly memsync: boolean;
}

interface Keepalive {
  readonly command: 'keepalive';
  /**
   * Ours (W8): the secondary's copy is complete (true), or not until further notice (false); null says nothing. Sent as an
   * extra field, which the reference ignores.
   */
  readonly insync: boolean | null;
}

export type Request = IoRequest | Keepalive;

/** A request that is answered with an error and otherwise ignored; a WRITE's data must still be drained. */
export interface RejectedRequest {
  readonly command: 'rejected';
  /** What it would have been. */
  readonly rejected: IoCommand;
  /** 0 when it had none. */
  readonly seq: number;
  readonly memsync: boolean;
  readonly error: PortError;
}

export interface Reply {
  /** 0: missing or above 2^53-1, and so nobody's. */
  readonly seq: number;
  /** First of the two replies to a memsync WRITE. */
  readonly received: boolean;
  /** POSIX error name, or null: success. */
  readonly error: string | null;
}

/** By their numbers on the wire. */
export const COMMANDS = [null, 'read', 'write', 'delete', 'flush', 'keepalive'] as const;

export function encodeRequest(request: Request): NvPair[] {
  const cmd = nv.uint8('cmd', COMMANDS.indexOf(request.command));
  if (request.command === 'keepalive')
    return request.insync === null ? [cmd] : [cmd, nv.uint8('insync', request.insync ? 1 : 0)];
  const pairs = [
    cmd,
    nv.uint64('seq', request.seq),
    nv.uint64('offset', request.offset),
    nv.uint64('length', request.length),
  ];
  if (request.memsync) pairs.push(nv.uint8('memsync', 1));
  return pairs;
}

/** A PortError (unknown command) is fatal to the session and not answered. */
export function decodeRequest(list: NvList): Request | RejectedRequest | PortError {
  const cmd = list.number('cmd', 'uint8') ?? 0;
  const command = COMMANDS[cmd] ?? null;
  if (command === null) return portError('EINVAL', `request: unknown command ${cmd}`);
  if (command === 'keepalive') {
    const insync = list.number('insync', 'uint8');
    return { command, insync: insync === null ? null : insync !== 0 };
  }

  const seq = list.safeInteger('seq', 'uint64') ?? 0;
  const memsync = command === 'write' && list.has('memsync');
  const reject = (message: string): RejectedRequest => ({
    command: 'rejected',
    rejected: command,
    seq,
    memsync,
    error: portError('EINVAL', `${command} request: ${message}`),
  });
  if (seq === 0) return reject("'seq' missing, 0 or too large");
  if (command === 'flush') return { command, seq, offset: 0, length: 0, memsync };
  const offset = list.safeInteger('offset', 'uint64');
  const length = list.safeInteger('length', 'uint64');
  if (offset === null) return reject("'offset' missing or too large");
  if (length === null) return reject("'length' missing or too large");
  return { command, seq, offset, length, memsync };
}

/** A READ's data fields go behind. */
export function encodeReply(reply: Reply): NvPair[] {
  const pairs = [nv.uint64('seq', reply.seq)];
  if (reply.received) pairs.push(nv.int8('received', 1));
  if (reply.error !== null) pairs.push(nv.int16('error', errnoOf(reply.error)));
  return pairs;
}

export function decodeReply(list: NvList): Reply {
  const errno = list.number('error', 'int16') ?? 0;
  return {
    seq: list.safeInteger('seq', 'uint64') ?? 0,
    received: list.has('received'),
    error: errno === 0 ? null : codeOfErrno(errno),
  };
}
