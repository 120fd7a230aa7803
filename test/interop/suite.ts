/** The interop suite: every kind of recording, run against our code. */
import { config } from './config.js';
import { control } from './control.js';
import { DIFFERENCES } from './differences.js';
import { hastctl } from './hastctl.js';
import type { Kind } from './kind.js';
import { metadata } from './metadata.js';
import { numbers } from './numbers.js';
import { Report } from './report.js';
import { vectors } from './vectors.js';
import { wire } from './wire.js';

export const KINDS: readonly Kind[] = [vectors, numbers, config, metadata, hastctl, wire, control];

/** With `file`, a kind that can do so runs what that file records, and nothing else. */
export async function runKind(kind: Kind, folder: string, file?: string): Promise<Report> {
  const report = new Report(kind.name, DIFFERENCES);
  try {
    if (file === undefined || kind.runFile === undefined) await kind.run(folder, report);
    else kind.runFile(folder, file, report);
  } catch (error) {
    report.case('the run').fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return report;
}
