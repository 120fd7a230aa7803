/**
 * Interop kind `control`: recorded requests of hastctl, and hand-made ones, sent to our daemon's control socket; it must reply
 * as the reference did. Per recording two daemons run in memory, configured as the replies show. The state that a reply tells
 * of comes about as it did there: roles by the recorded requests; peers by starting and ending the other daemon;
 * counters by as many requests to the device. So everything is compared, in order and with its type, but the numbers
 * of processes.
 */
import { basename } from 'node:path';
import { encodeFrame } from '../../core/wire/frame.js';
import { ControlScene, type RecordedCall, type RecordedPair } from './control-scene.js';
import { bytesOfHex, filesUnder, hexOf, readJsonLines } from './files.js';
import type { Kind } from './kind.js';
import type { NvPair } from '../../core/wire/nv.js';
import { parseMessage, type Message } from './replay/message.js';
import type { Case, Report } from './report.js';
import { leavesOf } from './significant.js';
import type { Significant } from './significant.js';

export const control: Kind = {
  name: 'control',

  run(folder: string, report: Report): void {
    for (const file of filesUnder(folder, 'control', '.jsonl')) runFile(folder, file, report);
  },

  runFile,

  significant(folder: string): Significant[] {
    return filesUnder(folder, 'control', '.jsonl').flatMap((file) =>
      readJsonLines<RecordedCall>(folder, file).flatMap((call, line) =>
        leavesOf(folder, file, new RegExp(`^${String(line)}\\.(${significantIn(call)})$`)),
      ),
    );
  },
};

/** The bytes of a reply count all together only if none of them is the number of a process. */
function significantIn({ request_hex, reply_hex, reply_nv = [] }: RecordedCall): string {
  if (request_hex === undefined) return '-';
  if (reply_hex === '') return 'reply_hex';
  const counting = [...reply_nv.keys()].filter((i) => !isWorkerpid(reply_nv[i]));
  const whole = counting.length === reply_nv.length ? '|reply_hex' : '';
  return `reply_version|reply_nv\\.\\d+\\.(name|type)|reply_nv\\.(${counting.join('|')})\\.value${whole}`;
}

function isWorkerpid(pair: RecordedPair | undefined): boolean {
  return pair !== undefined && /^workerpid\d+$/.test(pair.name) && pair.value !== 0;
}

function runFile(folder: string, file: string, report: Report): void {
  const calls = readJsonLines<RecordedCall>(folder, file).filter(
    ({ request_hex }) => request_hex !== undefined,
  );
  const scene = new ControlScene(calls);
  for (const call of calls) {
    const test = report.case(
      `${basename(file, '.jsonl')}: ${call.argv?.[0] ?? 'request'} on ${call.node}, ${call.case}`,
    );
    try {
      scene.reach(call);
      compare(test, call, scene.ask(call));
    } catch (error) {
      test.fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
}

function compare(
  test: Case,
  { reply_hex = '', reply_nv, reply_version }: RecordedCall,
  ours: Message | null,
): void {
  if (reply_hex === '' || ours === null) {
    test.same('reply', reply_hex, ours === null ? '' : hexOf(ours.frame));
    return;
  }
  const recorded = parseMessage(bytesOfHex(reply_hex), new Uint8Array(0));
  const recordedPairs = recorded.list?.pairs() ?? [];
  const pairs = ours.list?.pairs() ?? [];
  test.same('version', recorded.version, ours.version);
  test.same('fields', recordedPairs.map(nameAndType), pairs.map(nameAndType));
  for (const [i, pair] of recordedPairs.entries()) {
    const field = pair.name.replace(/\d+$/, '');
    test.same(field, comparable(field, pair.value), comparable(field, pairs[i]?.value));
  }
  // The recorder understood the reply as we do, and our encoder writes the same bytes.
  test.same(
    'reply_nv',
    reply_nv,
    recordedPairs.map((pair) => ({ ...pair, value: plain(pair.value) })),
  );
  if (reply_version !== undefined) test.same('reply_version', reply_version, recorded.version);
  test.same('reply_hex', reply_hex, hexOf(encodeFrame(recorded.version, recordedPairs)));
}

function nameAndType({ name, type }: NvPair): string {
  return `${name}:${type}`;
}

/** Of the number of a process only counts whether there is one. */
function comparable(field: string, value: NvPair['value'] | undefined): unknown {
  if (field === 'workerpid') return value !== 0;
  return value === undefined ? undefined : plain(value);
}

function plain(value: NvPair['value']): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
