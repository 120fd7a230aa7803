/**
 * Interop kind `wire`: recorded sessions between two nodes, replayed in memory on virtual time with our node, main daemon
 * and workers, in the place of each node that was recorded.
 */
import { basename } from 'node:path';
import { filesUnder } from './files.js';
import type { Kind } from './kind.js';
import { checkConsistency } from './replay/consistency.js';
import { oddityOf } from './replay/message.js';
import { PrimaryReplay } from './replay/primary-replay.js';
import { readRecording, type Recording } from './replay/recording.js';
import { SecondaryReplay } from './replay/secondary-replay.js';
import type { Case, Report } from './report.js';
import { leavesOf } from './significant.js';
import type { Significant } from './significant.js';

export const wire: Kind = {
  name: 'wire',

  run(folder: string, report: Report): void {
    for (const file of filesUnder(folder, 'wire', '.jsonl')) runFile(folder, file, report);
  },

  runFile,

  significant(folder: string): Significant[] {
    return filesUnder(folder, 'wire', '.jsonl').flatMap((file) => significantIn(folder, file));
  },
};

function runFile(folder: string, file: string, report: Report): void {
  const name = basename(file, '.jsonl');
  let recording: Recording;
  try {
    recording = readRecording(folder, file);
  } catch (error) {
    report.case(name).fail(textOf(error));
    return;
  }
  const { initial, system_under_test: tested } = recording.header;
  if (tested !== 'primary' && initial.secondary !== null)
    replay(report.case(`${name}, our secondary`), recording, SecondaryReplay);
  if (tested !== 'secondary' && initial.primary !== null)
    replay(report.case(`${name}, our primary`), recording, PrimaryReplay);
}

/** Not: remarks, what bad input consists of, the data that a scripted peer sends, and how things came about. */
function significantIn(folder: string, file: string): Significant[] {
  const { header, lines } = readRecording(folder, file);
  const tested = header.system_under_test;
  // Answers to what is not carried out nowadays are the subject of `differences.ts`.
  let odd = false;
  const ofLines = lines.flatMap((line) => {
    const leaf = (pattern: string): Significant[] =>
      leavesOf(folder, file, new RegExp(`^${String(line.number)}\\.(${pattern})$`));
    if (line.kind !== 'message') return leaf('dir|event');
    odd ||= oddityOf(line.message) !== null;
    const scripted = tested === (line.dir === 'p>s' ? 'secondary' : 'primary');
    const data = scripted || odd ? [] : leaf('data_hex');
    return [...data, ...(line.decoded === null ? [] : leaf('hex|version|dir|nv\\.\\d+\\.(name|type|value)'))];
  });
  const ofHeader = [
    'operations\\.\\d+\\.(op|side|role|offset|length|pattern|sha256|result|fault|error)',
    'initial\\.(primary|secondary)\\.(datasize|extentsize|localcnt|remotecnt)',
    'outcome\\.final_secondary_equal',
    'status\\.\\d+',
  ];
  return [...ofLines, ...leavesOf(folder, file, new RegExp(`^0\\.(${ofHeader.join('|')})$`))];
}

function replay(
  test: Case,
  recording: Recording,
  Replay: new (recording: Recording, test: Case) => { run(): void },
): void {
  try {
    checkConsistency(test, recording);
    new Replay(recording, test).run();
  } catch (error) {
    test.fail(textOf(error));
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
