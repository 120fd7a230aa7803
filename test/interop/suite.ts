/** The interop suite: every kind of recording, run against our code. */
import { config } from './config.js';
import { DIFFERENCES } from './differences.js';
import { hastctl } from './hastctl.js';
import type { Kind } from './kind.js';
import { metadata } from './metadata.js';
import { numbers } from './numbers.js';
import { Report } from './report.js';
import { vectors } from './vectors.js';

export const KINDS: readonly Kind[] = [vectors, numbers, config, metadata, hastctl];

export async function runKind(kind: Kind, folder: string): Promise<Report> {
  const report = new Report(kind.name, DIFFERENCES);
  try {
    await kind.run(folder, report);
  } catch (error) {
    report.case('the run').fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return report;
}
