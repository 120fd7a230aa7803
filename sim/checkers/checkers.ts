/** All judges; see core/spec/replication.md section 14. */
import type { Bench, Checker } from './checker.js';
import { deadEpoch } from './dead-epoch.js';
import { reads } from './i01-reads.js';
import { once } from './i02-once.js';
import { bothCopies } from './i03-both-copies.js';
import { survival } from './i04-survival.js';
import { asynchronous } from './i05-async.js';
import { flushed } from './i06-flushed.js';
import { resynchronised } from './i07-resynchronised.js';
import { coverage } from './i08-coverage.js';
import { precision } from './i08b-precision.js';
import { progress } from './i08b-progress.js';
import { equal } from './i09-equal.js';
import { bitFirst } from './i10-bit-first.js';
import { mapErased } from './i11-map-erased.js';
import { noFalseSplitBrain, splitBrain } from './i12-split-brain.js';
import { oldOverNew } from './i14-old-over-new.js';
import { counters } from './i15-counters.js';
import { bumpFirst } from './i16-bump-first.js';
import { lostOnTheWay } from './i16-lost-on-the-way.js';
import { everything } from './i17-everything.js';
import { incomplete } from './i18-incomplete.js';
import { sourceHasIt } from './i19-source-has-it.js';
import { oneDevice } from './i20-one-device.js';
import { order, overlaps } from './i21-order.js';
import { chunks } from './i22-chunks.js';
import { whole } from './i23-whole.js';
import { inside } from './i24-inside.js';
import { inTime } from './i25-in-time.js';
import { noReason } from './i25-no-reason.js';
import { readsHeld } from './i25-reads-held.js';
import { visible } from './i26-visible.js';
import { events } from './i27-events.js';
import { conditions } from './i27-conditions.js';
import { roles } from './i27-roles.js';
import { resourceId } from './i28-resource-id.js';
import { orderly } from './i29-orderly.js';
import { failedWrite } from './i30-failed-write.js';
import { leaks } from './leaks.js';
import { oldOrNew } from './old-or-new.js';

interface Judge {
  readonly invariant: string;
  readonly sit: (bench: Bench) => Checker;
}

export const CHECKERS: readonly Judge[] = [
  { invariant: 'I1', sit: reads },
  { invariant: 'I2', sit: once },
  { invariant: 'I3', sit: bothCopies },
  { invariant: 'I4', sit: survival },
  { invariant: 'I5', sit: asynchronous },
  { invariant: 'I6', sit: flushed },
  { invariant: 'I7', sit: resynchronised },
  { invariant: 'I8', sit: coverage },
  { invariant: 'I8b', sit: progress },
  { invariant: 'I8b', sit: precision },
  { invariant: 'I9', sit: equal },
  { invariant: 'I10', sit: bitFirst },
  { invariant: 'I11', sit: mapErased },
  { invariant: 'I12', sit: splitBrain },
  { invariant: 'I13', sit: noFalseSplitBrain },
  { invariant: 'I14', sit: oldOverNew },
  { invariant: 'I15', sit: counters },
  { invariant: 'I16', sit: bumpFirst },
  { invariant: 'I16', sit: lostOnTheWay },
  { invariant: 'I17', sit: everything },
  { invariant: 'I18', sit: incomplete },
  { invariant: 'I19', sit: sourceHasIt },
  { invariant: 'I20', sit: oneDevice },
  { invariant: 'I21', sit: overlaps },
  { invariant: 'I21', sit: order },
  { invariant: 'I22', sit: chunks },
  { invariant: 'I23', sit: whole },
  { invariant: 'I24', sit: inside },
  { invariant: 'I25', sit: inTime },
  { invariant: 'I25', sit: noReason },
  { invariant: 'I25', sit: readsHeld },
  { invariant: 'I26', sit: visible },
  { invariant: 'I27', sit: events },
  { invariant: 'I27', sit: conditions },
  { invariant: 'I27', sit: roles },
  { invariant: 'I28', sit: resourceId },
  { invariant: 'I29', sit: orderly },
  { invariant: 'I30', sit: failedWrite },
  { invariant: 'epoch', sit: deadEpoch },
  { invariant: 'leak', sit: leaks },
  { invariant: 'metadata', sit: oldOrNew },
];
