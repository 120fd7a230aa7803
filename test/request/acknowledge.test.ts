import { describe, expect, it } from 'vitest';
import {
  mayAcknowledge,
  type Acknowledgement,
  type LocalLeg,
  type RemoteLeg,
} from '../../core/request/acknowledge.js';

type Row = Readonly<Record<RemoteLeg, Acknowledgement>>;
type Table = Readonly<Record<LocalLeg, Row>>;

const [W, S, F] = ['wait', 'success', 'failure'] as const;
const UNTOLD: Row = { pending: W, received: W, ok: W, failed: W, absent: W };
/** Local write failed: the peer's final answer decides, in every mode (W17, W18, W32). */
const LOCAL_FAILED: Row = { pending: W, received: W, ok: S, failed: F, absent: F };

/** core/spec/replication.md section 6.3. */
const TABLES: Readonly<Record<'fullsync' | 'memsync' | 'async', Table>> = {
  fullsync: {
    pending: UNTOLD,
    ok: { pending: W, received: W, ok: S, failed: S, absent: S },
    failed: LOCAL_FAILED,
  },
  memsync: {
    pending: UNTOLD,
    ok: { pending: W, received: S, ok: S, failed: S, absent: S },
    failed: LOCAL_FAILED,
  },
  async: {
    pending: UNTOLD,
    ok: { pending: S, received: S, ok: S, failed: S, absent: S },
    failed: LOCAL_FAILED,
  },
};

/** The newest data of the range is on the peer: nothing counts that is not there (I19, W9). */
const PEER_HOLDS_TRUTH: Table = {
  pending: UNTOLD,
  ok: { pending: W, received: W, ok: S, failed: F, absent: F },
  failed: LOCAL_FAILED,
};

describe('may the application be told?', () => {
  for (const mode of ['fullsync', 'memsync', 'async'] as const) {
    for (const local of ['pending', 'ok', 'failed'] as const) {
      for (const remote of ['pending', 'received', 'ok', 'failed', 'absent'] as const) {
        const expected = TABLES[mode][local][remote];
        it(`${mode}, local ${local}, remote ${remote}: ${expected}`, () => {
          expect(mayAcknowledge(mode, local, remote, false)).toBe(expected);
        });
        const onPeer = PEER_HOLDS_TRUTH[local][remote];
        it(`${mode}, local ${local}, remote ${remote}, newest data on the peer: ${onPeer}`, () => {
          expect(mayAcknowledge(mode, local, remote, true)).toBe(onPeer);
        });
      }
    }
  }
});
