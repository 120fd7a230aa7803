import { unreachable } from '../base/assert.js';
import type { ReplicationMode } from '../config/types.js';

/** The local leg of a WRITE or DELETE. */
export type LocalLeg = 'pending' | 'ok' | 'failed';

/**
 * The remote leg: `received` = in the peer's memory (memsync), `ok` = executed there, `failed` = error reply or lost with
 * the connection, `absent` = never sent, because no session was up.
 */
export type RemoteLeg = 'pending' | 'received' | 'ok' | 'failed' | 'absent';

export type Acknowledgement = 'wait' | 'success' | 'failure';

/**
 * May the application be told? (core/spec/replication.md section 6.3, with W9, W17, W18.)
 *
 *   peerHoldsTruth   the newest data of the range is on the peer (out of date, or local copy bad): then nothing is
 *                    acknowledged that the peer does not have (I19)
 *   otherwise        success needs one node; which, and how soon, is the mode's promise. A failed local write counts
 *                    as success only once the peer has executed the write (W17, W18).
 */
export function mayAcknowledge(
  mode: ReplicationMode,
  local: LocalLeg,
  remote: RemoteLeg,
  peerHoldsTruth: boolean,
): Acknowledgement {
  const finished = local !== 'pending' && remote !== 'pending' && remote !== 'received';
  if (peerHoldsTruth) {
    if (!finished) return 'wait';
    return remote === 'ok' ? 'success' : 'failure';
  }
  if (local === 'failed') {
    if (!finished) return 'wait';
    return remote === 'ok' ? 'success' : 'failure';
  }
  if (local === 'pending') return 'wait';
  switch (mode) {
    case 'fullsync':
      return finished ? 'success' : 'wait';
    case 'memsync':
      return remote === 'pending' ? 'wait' : 'success';
    case 'async':
      return 'success';
    default:
      return unreachable(mode);
  }
}
