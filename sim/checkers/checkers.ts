/** All judges; see core/spec/replication.md section 14. */
import type { Bench, Checker } from './checker.js';
import { reads } from './i01-reads.js';
import { once } from './i02-once.js';
import { bothCopies } from './i03-both-copies.js';
import { survival } from './i04-survival.js';
import { flushed } from './i06-flushed.js';
import { coverage } from './i08-coverage.js';
import { equal } from './i09-equal.js';
import { bitFirst } from './i10-bit-first.js';
import { noFalseSplitBrain, splitBrain } from './i12-split-brain.js';
import { oldOverNew } from './i14-old-over-new.js';
import { bumpFirst } from './i16-bump-first.js';
import { incomplete } from './i18-incomplete.js';
import { sourceHasIt } from './i19-source-has-it.js';
import { whole } from './i23-whole.js';

interface Judge {
  readonly invariant: string;
  readonly sit: (bench: Bench) => Checker;
}

export const CHECKERS: readonly Judge[] = [
  { invariant: 'I1', sit: reads },
  { invariant: 'I2', sit: once },
  { invariant: 'I3', sit: bothCopies },
  { invariant: 'I4', sit: survival },
  { invariant: 'I6', sit: flushed },
  { invariant: 'I8', sit: coverage },
  { invariant: 'I9', sit: equal },
  { invariant: 'I10', sit: bitFirst },
  { invariant: 'I12', sit: splitBrain },
  { invariant: 'I13', sit: noFalseSplitBrain },
  { invariant: 'I14', sit: oldOverNew },
  { invariant: 'I16', sit: bumpFirst },
  { invariant: 'I18', sit: incomplete },
  { invariant: 'I19', sit: sourceHasIt },
  { invariant: 'I23', sit: whole },
];
