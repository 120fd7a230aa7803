/**
 * Interop kind `wire`: recorded sessions between two nodes, replayed in memory on virtual time with our node, main daemon
 * and workers, in the place of each node that was recorded.
 */
import { isDeepStrictEqual } from 'node:util';
import { encodeFrame } from '../../core/wire/frame.js';
import { filesUnder, hexOf } from './files.js';
import type { Kind } from './kind.js';
import { viewOf } from './replay/message.js';
import { PrimaryReplay } from './replay/primary-replay.js';
import { readRecording, type Recording } from './replay/recording.js';
import { SecondaryReplay } from './replay/secondary-replay.js';
import type { Case, Report } from './report.js';
import { leavesOf } from './significant.js';
import type { Significant } from './significant.js';

export const wire: Kind = {
  name: 'wire',

  run(folder: string, report: Report): void {
    for (const file of filesUnder(folder, 'wire', '.jsonl')) {
      const recording = readRecording(folder, file);
      const { initial, system_under_test: tested } = recording.header;
      if (tested !== 'primary' && initial.secondary !== null)
        replay(report.case(`${recording.name}, our secondary`), recording, SecondaryReplay);
      if (tested !== 'secondary' && initial.primary !== null)
        replay(report.case(`${recording.name}, our primary`), recording, PrimaryReplay);
    }
  },

  significant(folder: string): Significant[] {
    return filesUnder(folder, 'wire', '.jsonl').flatMap((file) =>
      leavesOf(folder, file, /^[1-9]\d*\.(hex|nv\.\d+\.(name|type|value))$/),
    );
  },
};

function replay(
  test: Case,
  recording: Recording,
  Replay: new (recording: Recording, test: Case) => { run(): void },
): void {
  checkLines(test, recording);
  try {
    new Replay(recording, test).run();
  } catch (error) {
    test.fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** The recorder understood each message as we do, and our encoder writes the same bytes. */
function checkLines(test: Case, { lines }: Recording): void {
  for (const line of lines) {
    if (line.kind !== 'message') continue;
    const { list, version, frame } = line.message;
    const { fields } = viewOf(line.message);
    const decoded = list === null ? null : { version, fields };
    if (!isDeepStrictEqual(decoded, line.decoded))
      test.same(`message ${String(line.number)}`, line.decoded, decoded);
    if (list !== null) test.same('hex', hexOf(frame), hexOf(encodeFrame(version, list.pairs())));
  }
}
