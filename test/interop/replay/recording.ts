/** A recorded session, as `reference/wire/README.md` describes it: a header and numbered lines. */
import type { ChecksumName, CompressionName, ReplicationMode } from '../../../core/config/types.js';
import { bytesOfHex, readJsonLines } from '../files.js';
import { parseMessage, type Message, type View } from './message.js';

const SIDES = ['primary', 'secondary'] as const;
const DIRECTIONS = ['p>s', 's>p'] as const;
const ROLES = ['init', 'primary', 'secondary'] as const;
const FAULTS = ['read', 'write', 'flush', 'delete'] as const;
const PROCESSES = ['stopped', 'fresh', 'continued'] as const;

export type Side = (typeof SIDES)[number];
type Direction = (typeof DIRECTIONS)[number];
type Role = (typeof ROLES)[number];

export interface Recording {
  readonly header: Header;
  /** Message N of the header is `lines[N - 1]`. */
  readonly lines: readonly Line[];
}

export interface Header {
  readonly initial: Initial;
  readonly operations: readonly Operation[];
  readonly system_under_test: Side | 'both';
  /** Null, where one of the nodes was a scripted peer. */
  readonly outcome: { readonly final_secondary_equal: boolean | null };
  /** What hastctl printed at the end: name, status, role. */
  readonly status?: readonly string[];
  readonly daemon_survived?: boolean;
}

export interface Initial {
  readonly resource: string;
  readonly replication: ReplicationMode;
  readonly checksum: ChecksumName;
  readonly compression: CompressionName;
  /** Seconds. */
  readonly timeout: number;
  readonly primary: NodeState | null;
  readonly secondary: NodeState | null;
  /** What led there. */
  readonly history: readonly Operation[];
}

export interface NodeState {
  readonly configured?: boolean;
  readonly role: Role | null;
  readonly process: (typeof PROCESSES)[number];
  readonly connected: boolean;
  /** Bytes, as all sizes. */
  readonly mediasize: number;
  readonly offset: number;
  readonly datasize: number;
  readonly extentsize: number;
  readonly keepdirty: number;
  readonly sectorsize: number;
  /** 64-bit numbers in decimal. */
  readonly resuid: string;
  readonly localcnt: string;
  readonly remotecnt: string;
  readonly prevrole: Role;
  readonly map_hex: string | null;
  readonly data: 'zeros' | readonly Piece[];
}

export interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly pattern: string;
}

/** One thing done from outside; which fields it has depends on `op`. */
export interface Operation {
  /** `start` or `after-message N`; absent in a history. */
  readonly at?: string;
  readonly op: string;
  readonly side?: Side | Direction;
  readonly role?: Role;
  readonly offset?: number;
  readonly length?: number;
  readonly pattern?: string;
  readonly sha256?: string;
  /** Linux errno at the client; null: no answer. */
  readonly result?: number | null;
  readonly pipelined?: boolean;
  readonly seconds?: number;
  readonly until?: string;
  readonly fault?: (typeof FAULTS)[number];
  readonly error?: number;
  readonly conn?: number;
  /** Where the scripted peer comes from, if not from the other node's address. */
  readonly source?: string;
  readonly resuid?: string | number;
  readonly localcnt?: string | number;
  readonly remotecnt?: string | number;
}

export type Line = { readonly number: number } & (
  | {
      readonly kind: 'message';
      readonly dir: Direction;
      /** Names one TCP connection of the recording. */
      readonly connection: string;
      /** Since the first line; null when it was not noted. */
      readonly atMs: number | null;
      readonly message: Message;
      /** As the recorder decoded it; null for what is no valid message. */
      readonly decoded: Omit<View, 'data'> | null;
    }
  /** `dir` tells whose stream ended: `p>s` the primary's. */
  | { readonly kind: 'closed'; readonly dir: Direction; readonly connection: string }
  | { readonly kind: 'silence'; readonly connection: string; readonly seconds: number }
  | { readonly kind: 'remark' }
);

export type MessageLine = Line & { readonly kind: 'message' };

interface RecordedPair {
  readonly name: string;
  readonly type: string;
  readonly value: string | number | null;
}

interface RawLine {
  readonly t?: number;
  readonly session?: number;
  readonly conn?: number;
  readonly dir?: Direction;
  readonly version?: number;
  readonly nv?: readonly RecordedPair[];
  readonly hex?: string;
  readonly data_hex?: string;
  readonly event?: string;
  readonly note?: string;
}

export function readRecording(folder: string, file: string): Recording {
  const [header, ...lines] = readJsonLines<unknown>(folder, file) as [Header, ...RawLine[]];
  checkHeader(header);
  const closings = header.operations.filter(({ op }) => op === 'peer-closes').map(positionOf);
  return {
    header,
    lines: lines.map((raw, i) => parseLine(raw, i + 1, closings.filter((at) => at <= i).length)),
  };
}

/** The number of the line after which an operation was carried out; 0: at the start. */
export function positionOf({ at }: Operation): number {
  const line = at === undefined || at === 'start' ? '0' : /^after-message (\d+)$/.exec(at)?.[1];
  if (line === undefined) throw new Error(`unknown position '${String(at)}'`);
  return Number(line);
}

function checkHeader({ initial, operations, system_under_test: tested }: Header): void {
  oneOf(tested, [...SIDES, 'both']);
  for (const state of [initial.primary, initial.secondary]) {
    if (state === null) continue;
    oneOf(state.process, PROCESSES);
    oneOf(state.role, [...ROLES, null]);
  }
  for (const operation of [...initial.history, ...operations]) {
    positionOf(operation);
    oneOf(operation.side, [...SIDES, ...DIRECTIONS, undefined]);
    oneOf(operation.role, [...ROLES, undefined]);
    oneOf(operation.fault, [...FAULTS, undefined]);
  }
}

/** A word that nobody knows must not be taken for another one. */
function oneOf(value: unknown, known: readonly unknown[]): void {
  if (!known.includes(value)) throw new Error(`unknown value '${String(value)}'`);
}

/** A scripted peer that closed all its connections begins to count them anew: `era` tells how often it did. */
function parseLine(raw: RawLine, number: number, era: number): Line {
  const { dir, conn, hex, event } = raw;
  oneOf(dir, [...DIRECTIONS, undefined]);
  const connection = `${String(raw.session ?? era)}.${String(conn)}`;
  if (hex !== undefined && dir !== undefined) {
    const message = parseMessage(bytesOfHex(hex), bytesOfHex(raw.data_hex ?? ''));
    const atMs = raw.t === undefined ? null : raw.t * 1000;
    return { number, kind: 'message', dir, connection, atMs, message, decoded: decodedIn(raw) };
  }
  if (event === undefined) return { number, kind: 'remark' };
  const silence = /^no answer within (\d+) s$/.exec(event);
  if (silence !== null) return { number, kind: 'silence', connection, seconds: Number(silence[1]) };
  if (event === 'eof' || event === 'reset') return { number, kind: 'closed', dir: dir ?? 's>p', connection };
  if (event === 'send failed ConnectionResetError') return { number, kind: 'closed', dir: 's>p', connection };
  throw new Error(`line ${String(number)}: unknown event '${event}'`);
}

function decodedIn({ version = 0, nv }: RawLine): Omit<View, 'data'> | null {
  if (nv === undefined || nv.some(({ type }) => type === 'undecodable')) return null;
  return { version, fields: nv.map(({ name, type, value }) => `${name}:${type}=${String(value)}`) };
}
