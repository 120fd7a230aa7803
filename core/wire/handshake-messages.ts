/**
 * The messages of both handshakes (core/spec/wire.md section 6) as values. The primary says `hello` on its first
 * connection and `attach`es the second one with the token it got; both are answered on the first.
 *
 * Encoders give the pairs in the order of the reference. Decoders read a missing or mistyped field as the spec
 * says, mostly as 0, and return EINVAL for a message that cannot be used at all.
 */
import { portError, type PortError } from '../ports/error.js';
import type { NvList } from './nv-list.js';
import { nv, type NvPair } from './nv.js';

export const TOKEN_BYTES = 16;

/** First message on connection A. */
export interface Hello {
  readonly resource: string;
  /** The primary's highest protocol version, at least 1; may be above ours. */
  readonly version: number;
}

/** First message on connection B. */
export interface Attach {
  readonly resource: string;
  readonly token: Uint8Array;
  /** The primary's resource id was 0 until this handshake. */
  readonly virgin: boolean;
  readonly resuid: bigint;
  readonly localcnt: bigint;
  readonly remotecnt: bigint;
}

/** Answer to `Hello`. */
export interface HelloReply {
  /** Negotiated protocol version: 1 or 2. */
  readonly version: number;
  readonly token: Uint8Array;
}

/** What a secondary tells about its copy, whatever the verdict. */
export interface Standing {
  /** Bytes. */
  readonly datasize: number;
  /** Bytes. */
  readonly extentsize: number;
  readonly localcnt: bigint;
  readonly remotecnt: bigint;
  /** The secondary's resource id was 0 until this handshake. */
  readonly virgin: boolean;
}

/** Good answer to `Attach`. */
export interface AttachReply extends Standing {
  /** Who holds the good data; null when the peer does not say. */
  readonly syncsrc: 'primary' | 'secondary' | null;
  /** Bytes of dirty map, before compression, that follow as data; 0: no dirty bits, no data. */
  readonly mapsize: number;
}

/** The answer of a node that will not serve; its connection is closed after it. */
export interface Refusal {
  readonly kind: 'refused';
  readonly message: string;
  /** The node is primary itself and may become secondary soon: worth an early retry at start-up. */
  readonly wait: boolean;
}

/** Texts of refusals; peers and people look for them. */
export const RESOURCE_NOT_CONFIGURED = 'Resource not configured.';
export const NO_ACCESS = 'No access to the resource.';
export const TOKEN_MISMATCH = "Token doesn't match.";
export const SPLIT_BRAIN = 'Split-brain condition!';

export function notSecondary(role: 'init' | 'primary'): string {
  return `Remote node acts as ${role} for the resource and not as secondary.`;
}

export function resuidMismatch(primary: bigint, secondary: bigint): string {
  return `Resource unique ID mismatch (primary=${primary}, secondary=${secondary}).`;
}

export function encodeHello(hello: Hello): NvPair[] {
  return [nv.string('resource', hello.resource), nv.uint8('version', hello.version)];
}

export function encodeAttach(attach: Attach): NvPair[] {
  return [
    nv.string('resource', attach.resource),
    nv.bytes('token', attach.token),
    ...(attach.virgin ? [nv.int8('virgin', 1)] : []),
    nv.uint64('resuid', attach.resuid),
    nv.uint64('localcnt', attach.localcnt),
    nv.uint64('remotecnt', attach.remotecnt),
  ];
}

/** The first message of an accepted connection: a token makes it the second connection of a session. */
export function decodeFirstMessage(
  list: NvList,
): ({ readonly kind: 'hello' } & Hello) | ({ readonly kind: 'attach' } & Attach) | PortError {
  const resource = list.string('resource');
  if (resource === null) return portError('EINVAL', "first message: no 'resource'");
  const token = list.bytes('token');
  if (token === null) return { kind: 'hello', resource, version: versionIn(list) };
  if (token.length !== TOKEN_BYTES) return wrongToken('second connection', token);
  return {
    kind: 'attach',
    resource,
    token: token.slice(),
    virgin: list.has('virgin'),
    resuid: list.bigint('resuid', 'uint64') ?? 0n,
    localcnt: list.bigint('localcnt', 'uint64') ?? 0n,
    remotecnt: list.bigint('remotecnt', 'uint64') ?? 0n,
  };
}

export function encodeHelloReply(reply: HelloReply): NvPair[] {
  return [nv.uint8('version', reply.version), nv.bytes('token', reply.token)];
}

/** `maxVersion` is what the hello offered; an answer above it is an error. */
export function decodeHelloReply(
  list: NvList,
  maxVersion: number,
): ({ readonly kind: 'accepted' } & HelloReply) | Refusal | PortError {
  const refusal = refusalIn(list);
  if (refusal !== null) return refusal;
  const version = versionIn(list);
  if (version > maxVersion)
    return portError('EINVAL', `hello reply: version ${version}, at most ${maxVersion} expected`);
  const token = list.bytes('token');
  if (token?.length !== TOKEN_BYTES) return wrongToken('hello reply', token);
  return { kind: 'accepted', version, token: token.slice() };
}

/** The map, packed, goes behind it: append the payload's fields and send its data. */
export function encodeAttachReply(reply: AttachReply): NvPair[] {
  return [
    ...standingPairs(reply),
    nv.uint8('syncsrc', syncsrcNumber(reply.syncsrc)),
    nv.uint32('mapsize', reply.mapsize),
  ];
}

/** The worker's refusal: resource id mismatch or split-brain. */
export function encodeAttachRefusal(standing: Standing, message: string): NvPair[] {
  return [...standingPairs(standing), nv.string('errmsg', message)];
}

/**
 * Tolerates the secondaries of 2011-2012, which send `mapsize` in another place, and without data: `mapsize` is 0
 * then (without `size` no data follows).
 */
export function decodeAttachReply(
  list: NvList,
): ({ readonly kind: 'attached' } & AttachReply) | Refusal | PortError {
  const refusal = refusalIn(list);
  if (refusal !== null) return refusal;
  const datasize = list.safeInteger('datasize', 'int64');
  const extentsize = list.number('extentsize', 'int32');
  if (datasize === null) return portError('EINVAL', "attach reply: 'datasize' missing or not a size");
  if (extentsize === null || extentsize <= 0)
    return portError('EINVAL', "attach reply: 'extentsize' missing or not a size");
  const dataFollows = (list.number('size', 'uint32') ?? 0) > 0;
  return {
    kind: 'attached',
    datasize,
    extentsize,
    localcnt: list.bigint('localcnt', 'uint64') ?? 0n,
    remotecnt: list.bigint('remotecnt', 'uint64') ?? 0n,
    virgin: list.has('virgin'),
    syncsrc: SYNC_SOURCES[list.number('syncsrc', 'uint8') ?? 0] ?? null,
    mapsize: dataFollows ? (list.number('mapsize', 'uint32') ?? 0) : 0,
  };
}

/** The main daemon's refusal. */
export function encodeRefusal(message: string, wait: boolean): NvPair[] {
  return [nv.string('errmsg', message), ...(wait ? [nv.uint8('wait', 1)] : [])];
}

const SYNC_SOURCES = [null, 'primary', 'secondary'] as const;

function syncsrcNumber(source: AttachReply['syncsrc']): number {
  return SYNC_SOURCES.indexOf(source);
}

function standingPairs(standing: Standing): NvPair[] {
  return [
    nv.int64('datasize', standing.datasize),
    nv.int32('extentsize', standing.extentsize),
    nv.uint64('localcnt', standing.localcnt),
    nv.uint64('remotecnt', standing.remotecnt),
    ...(standing.virgin ? [nv.int8('virgin', 1)] : []),
  ];
}

function refusalIn(list: NvList): Refusal | null {
  const message = list.string('errmsg');
  return message === null ? null : { kind: 'refused', message, wait: list.has('wait') };
}

/** Version 0 cannot be expressed: missing and 0 both are 1. */
function versionIn(list: NvList): number {
  return Math.max(1, list.number('version', 'uint8') ?? 1);
}

function wrongToken(where: string, token: Uint8Array | null): PortError {
  return portError('EINVAL', `${where}: token of ${token?.length ?? 0} bytes instead of ${TOKEN_BYTES}`);
}
