/** What our create and dump must do where the reference's do something that nobody can use (quirk 30). */
import { parseSize } from '../../cli/format.js';
import { isPortError } from '../../core/ports/error.js';
import { decodeNv } from '../../core/wire/nv-list.js';
import { encodeNv } from '../../core/wire/nv.js';
import { bytesOfHex, hexOf } from './files.js';

/** A run of `hastctl create` as the kind `metadata` compares it. */
export interface Created {
  readonly resource: string;
  readonly argv: readonly string[];
  readonly provider_size: number;
  /** Negative: killed by that signal. */
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly file_size: number;
  /** Bytes before user data, in hex. */
  readonly metadata: string;
}

/** A run of `hastctl dump`; `path` is the component's. */
export interface Dumped {
  readonly path: string;
  readonly file_size: number;
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SECTOR = 512;
const LEAST = 4096 + SECTOR;

/** An assertion of the reference is an error here, and nothing is written. */
export function insteadOfAbort(recorded: Created): Created {
  const given = recorded.argv[recorded.argv.indexOf('-e') + 1] ?? '';
  const why = recorded.stderr.includes('extentsize')
    ? `Extent size (${parseSize(given)}) is not power of 2`
    : `Mediasize (${recorded.provider_size}) leaves no room for data: more than ${LEAST} bytes are needed`;
  return refused(recorded, why);
}

/** Numbers that no node can work with are refused, and a media size is rounded down to whole sectors. */
export function insteadOfNonsense(recorded: Created): Created {
  const { datasize, keepdirty } = fieldsOf(recorded.metadata);
  if (recorded.exit !== 0 || datasize === undefined || keepdirty === undefined) return recorded;
  if (datasize < 0n) {
    const why = `Mediasize (${recorded.provider_size}) leaves no room for data: more than ${LEAST} bytes are needed`;
    return refused(recorded, why);
  }
  if (keepdirty < 1n) return refused(recorded, `Keepdirty (${keepdirty}) is less than 1`);
  return { ...recorded, metadata: withDatasize(recorded.metadata, datasize - (datasize % BigInt(SECTOR))) };
}

/** Dump shows what is there and says what no node of ours would use. */
export function besidesDump(recorded: Dumped): Dumped {
  const shown = (field: string): bigint =>
    BigInt(new RegExp(`^ *${field}: (-?\\d+)`, 'm').exec(recorded.stdout)?.[1] ?? 0);
  const warning = (why: string): Dumped => ({
    ...recorded,
    stderr: `[WARNING] [${/^resource: (\S+)/.exec(recorded.stdout)?.[1]}] hastd will not use this metadata: ${why}.\n`,
  });
  if (shown('datasize') > BigInt(Number.MAX_SAFE_INTEGER)) {
    const why = 'datasize is missing, of a wrong type or out of range';
    const stderr = `[ERROR] Metadata read from ${recorded.path} is invalid: ${why}.\n`;
    return { ...recorded, exit: 255, stdout: '', stderr };
  }
  if (shown('keepdirty') < 1n) return warning(`keepdirty ${shown('keepdirty')} is less than 1`);
  const rest = shown('datasize') % BigInt(SECTOR);
  return rest === 0n
    ? recorded
    : warning(`datasize ${shown('datasize')} is not a multiple of the sector size ${SECTOR}`);
}

function refused(recorded: Created, why: string): Created {
  return {
    ...recorded,
    exit: 65,
    stderr: `[ERROR] [${recorded.resource}] ${why}.\n`,
    file_size: recorded.provider_size,
    metadata: '0'.repeat(recorded.metadata.length),
  };
}

/** Signed, as the reference reads them. */
function fieldsOf(metadata: string): { datasize?: bigint; keepdirty?: bigint } {
  const list = decodeNv(bytesOfHex(metadata));
  if (isPortError(list)) return {};
  const datasize = list.bigint('datasize', 'uint64');
  const keepdirty = list.number('keepdirty', 'uint32');
  if (datasize === null || keepdirty === null) return {};
  return { datasize: BigInt.asIntN(64, datasize), keepdirty: BigInt(keepdirty | 0) };
}

function withDatasize(metadata: string, datasize: bigint): string {
  const list = decodeNv(bytesOfHex(metadata));
  if (isPortError(list)) return metadata;
  const pairs = list.pairs().map((pair) => (pair.name === 'datasize' ? { ...pair, value: datasize } : pair));
  const encoded = hexOf(encodeNv(pairs as Parameters<typeof encodeNv>[0]));
  return encoded + metadata.slice(encoded.length);
}
