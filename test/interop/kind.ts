import type { Report } from './report.js';
import type { Significant } from './significant.js';

/** One kind of recording. A new one is a file beside this one and a line in `suite.ts`. */
export interface Kind {
  readonly name: string;
  /** Opens a case in `report` for each recording under `folder`. */
  run(folder: string, report: Report): void | Promise<void>;
  /** Opens the cases of one file only: for the self-test, where a whole run takes long. */
  runFile?(folder: string, file: string, report: Report): void;
  /** Recorded values that decide: changing any one of them must make the kind fail. For the self-test. */
  significant(folder: string): Significant[];
}
