/** Interop kind `vectors`: nv lists, compression, checksums and payloads, byte for byte. */
import { createHash } from 'node:crypto';
import { viewOf } from '../../core/base/bytes.js';
import { isPortError } from '../../core/ports/error.js';
import { tsCodecs } from '../../core/wire/codecs.js';
import { errnoOf } from '../../core/wire/errno.js';
import { decodeNv } from '../../core/wire/nv-list.js';
import { encodeNv, nv, type NvPair, type NvType } from '../../core/wire/nv.js';
import { openPayload, packPayload, readPayloadSpec, type PayloadSettings } from '../../core/wire/payload.js';
import { listOf } from '../wire/list-of.js';
import { bytesOfHex, hexOf, readJson } from './files.js';
import type { Kind } from './kind.js';
import type { Case, Report } from './report.js';
import { leavesOf, type Significant } from './significant.js';

const codecs = tsCodecs((data) => createHash('sha256').update(data).digest());

export const vectors: Kind = {
  name: 'vectors',

  run(folder: string, report: Report): void {
    nvEncode(folder, report);
    nvDecode(folder, report);
    compression(folder, report);
    checksums(folder, report);
    payloads(folder, report);
  },

  significant(folder: string): Significant[] {
    const leaves = (file: string, pattern: RegExp): Significant[] =>
      leavesOf(folder, `vectors/${file}`, new RegExp(`^vectors\\.\\d+\\.${pattern.source}$`));
    return [
      ...leaves('nv-encode.json', /(hex|error|items\.\d+\.(name|value)|decoded\.\d+\.(name|type|value))/),
      ...leaves('nv-decode.json', /reference\.(ok|errno)/),
      ...leaves('compression.json', /(length|sha256|input_hex|input\.(len|hex|seed))/),
      ...leaves('compression.json', /(hole|lzf)\.(compression|size|nv_hex|data_hex|data_sha256)/),
      ...leaves('checksum.json', /(length|input\.(len|hex|seed))/),
      ...leaves('checksum.json', /(crc32|sha256|hole\+crc32|lzf\+sha256)\.(checksum|hash|nv_hex)/),
      ...leaves('payload-decode.json', /reference\.(rc|size)/),
    ];
  },
};

interface RecordedItem {
  readonly type: NvType;
  readonly name: string;
  readonly value: string;
}

function nvEncode(folder: string, report: Report): void {
  interface Vector {
    readonly items: readonly RecordedItem[];
    readonly error: number;
    readonly hex: string;
    readonly decoded: unknown;
  }
  const { vectors: recorded } = readJson<{ vectors: Vector[] }>(folder, 'vectors/nv-encode.json');
  for (const [i, { items, error, hex, decoded }] of recorded.entries()) {
    const test = report.case(`nv-encode: ${i + 1}`);
    const pairs = items.map(pairOf);
    test.same('error', error, 0);
    test.same('hex', hex, hexOf(encodeNv(pairs)));
    const list = decodeNv(bytesOfHex(hex));
    test.same('decoded', decoded, isPortError(list) ? list : list.pairs().map(plainPair));
  }
}

/** Arrays are recorded as numbers with commas between. */
function pairOf({ type, name, value }: RecordedItem): NvPair {
  if (type === 'string') return { name, type, value };
  const numbers = value.split(',').map((text) => (type.includes('64') ? BigInt(text) : Number(text)));
  if (type === 'uint8[]') return { name, type, value: Uint8Array.from(numbers, Number) };
  return { name, type, value: type.endsWith('[]') ? numbers : numbers[0] } as NvPair;
}

/** The recording's way: single 64-bit numbers as text, byte arrays as hex, all else as JSON has it. */
function plainPair({ name, type, value }: NvPair): unknown {
  if (typeof value === 'bigint') return { name, type, value: String(value) };
  if (typeof value !== 'object') return { name, type, value };
  if (type === 'uint8[]' || type === 'int8[]')
    return { name, type, value: hexOf(Uint8Array.from(value, Number)) };
  return { name, type, value: Array.from(value, Number) };
}

function nvDecode(folder: string, report: Report): void {
  interface Vector {
    readonly name: string;
    readonly hex: string;
    readonly reference: { readonly ok: boolean; readonly errno: number };
  }
  const { vectors: recorded } = readJson<{ vectors: Vector[] }>(folder, 'vectors/nv-decode.json');
  for (const { name, hex, reference } of recorded) {
    const test = report.case(`nv-decode: ${name}`);
    const list = decodeNv(bytesOfHex(hex));
    test.same('errno', reference.errno, isPortError(list) ? errnoOf(list.code) : 0);
    if (reference.ok !== (reference.errno === 0)) test.fail('the recording contradicts itself');
  }
}

/** How a recording's input was made; described in the file itself. */
type Input =
  | { readonly gen: 'zeros'; readonly len: number }
  | { readonly gen: 'repeat'; readonly len: number; readonly hex: string }
  | { readonly gen: 'lcg'; readonly len: number; readonly seed: number; readonly mod: number }
  | { readonly gen: 'concat'; readonly parts: readonly Input[] }
  | { readonly gen: 'poke'; readonly base: Input; readonly set: readonly (readonly [number, number])[] };

function generate(input: Input): Uint8Array {
  switch (input.gen) {
    case 'zeros':
      return new Uint8Array(input.len);
    case 'repeat': {
      const pattern = bytesOfHex(input.hex);
      return Uint8Array.from({ length: input.len }, (_, i) => pattern[i % pattern.length] ?? 0);
    }
    case 'lcg': {
      let x = input.seed;
      return Uint8Array.from({ length: input.len }, () => {
        x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
        return (x >>> 16) % input.mod;
      });
    }
    case 'concat':
      return Uint8Array.from(input.parts.flatMap((part) => [...generate(part)]));
    case 'poke': {
      const bytes = generate(input.base);
      for (const [offset, value] of input.set) bytes[offset] = value;
      return bytes;
    }
  }
}

interface InputVector {
  readonly name: string;
  readonly input: Input;
  readonly length: number;
}

/** Recorded fields of data as it was sent, and `crash` where the reference died of it. */
type RecordedPacking = Readonly<Record<string, unknown>>;

function compression(folder: string, report: Report): void {
  type Vector = InputVector & {
    readonly sha256: string;
    readonly input_hex?: string;
    readonly hole: RecordedPacking;
    readonly lzf: RecordedPacking;
  };
  const { vectors: recorded } = readJson<{ vectors: Vector[] }>(folder, 'vectors/compression.json');
  for (const vector of recorded) {
    const data = generate(vector.input);
    for (const setting of ['hole', 'lzf'] as const) {
      const test = report.case(`compression: ${vector.name}, ${setting}`);
      test.same('length', vector.length, data.length);
      test.same('sha256', vector.sha256, hexOf(codecs.sha256(data)));
      if (vector.input_hex !== undefined) test.same('input_hex', vector.input_hex, hexOf(data));
      comparePacking(test, vector[setting], data, { compression: setting, checksum: 'none' });
    }
  }
}

function checksums(folder: string, report: Report): void {
  const settings: Readonly<Record<string, PayloadSettings>> = {
    crc32: { compression: 'none', checksum: 'crc32' },
    sha256: { compression: 'none', checksum: 'sha256' },
    'hole+crc32': { compression: 'hole', checksum: 'crc32' },
    'lzf+sha256': { compression: 'lzf', checksum: 'sha256' },
  };
  type Vector = InputVector & Readonly<Record<string, RecordedPacking | undefined>>;
  const { vectors: recorded } = readJson<{ vectors: Vector[] }>(folder, 'vectors/checksum.json');
  for (const vector of recorded) {
    const data = generate(vector.input);
    for (const [name, setting] of Object.entries(settings)) {
      const packing = vector[name];
      if (packing === undefined) continue;
      const test = report.case(`checksum: ${vector.name}, ${name}`);
      test.same('length', vector.length, data.length);
      comparePacking(test, packing, data, setting);
    }
  }
}

/** Compares whatever was recorded; then opens our payload again. */
function comparePacking(
  test: Case,
  recorded: RecordedPacking,
  data: Uint8Array,
  settings: PayloadSettings,
): void {
  test.same('outcome', 'crash' in recorded ? 'crash' : 'sent', 'sent');
  const sent = packPayload(codecs, settings, data);
  const list = listOf(sent.fields);
  const ours: Readonly<Record<string, unknown>> = {
    nv_hex: hexOf(encodeNv(sent.fields)),
    compression: list.string('compression'),
    checksum: list.string('checksum'),
    hash: hexOf(list.bytes('hash') ?? new Uint8Array(0)),
    size: sent.data.length,
    data_hex: hexOf(sent.data),
    data_sha256: hexOf(codecs.sha256(sent.data)),
  };
  for (const [field, value] of Object.entries(recorded))
    if (!REMARKS.includes(field)) test.same(field, value, ours[field]);

  const opened = new Uint8Array(data.length);
  const spec = readPayloadSpec(list);
  if (spec === null || isPortError(spec)) test.fail('our own payload has no usable description');
  else if (openPayload(codecs, spec, sent.data, opened) !== null || hexOf(opened) !== hexOf(data))
    test.fail('our own payload does not open again');
}

const REMARKS = ['note', 'crash', 'stderr'];

function payloads(folder: string, report: Report): void {
  interface Vector {
    readonly name: string;
    readonly nv_hex: string;
    readonly data_hex: string;
    readonly reference: { readonly rc?: number; readonly size?: number; readonly crash?: number };
  }
  const { vectors: recorded } = readJson<{ vectors: Vector[] }>(folder, 'vectors/payload-decode.json');
  for (const { name, nv_hex, data_hex, reference } of recorded) {
    const test = report.case(`payload-decode: ${name}`);
    const data = bytesOfHex(data_hex);
    const theirs = reference.crash === undefined ? { rc: reference.rc, size: reference.size } : 'crash';
    test.same('outcome', theirs, received(bytesOfHex(nv_hex), data));
  }
}

/** What our receiver makes of it, in the recording's terms. Recorded lists mostly lack `size`: it was known. */
function received(fields: Uint8Array, data: Uint8Array): unknown {
  const rejected = { rc: -1, size: 0 };
  const list = decodeNv(Buffer.concat([fields, encodeNv([nv.uint32('size', data.length)])]));
  if (isPortError(list)) return rejected;
  const spec = readPayloadSpec(list);
  if (spec === null || isPortError(spec)) return rejected;
  const target = new Uint8Array(spec.compression === 'none' ? data.length : viewOf(data).getUint32(0, true));
  return openPayload(codecs, spec, data, target) === null ? { rc: 0, size: target.length } : rejected;
}
