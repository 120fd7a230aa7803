/**
 * I15: after a completed synchronisation each node's localcnt is the other one's remotecnt. Until the next one a node's localcnt is
 * greater only if it acknowledged writes that the other one may lack, or if that one is new and gets everything.
 */
import { ofNode, otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const METADATA_BYTES = 4096;
const NODES = ['a', 'b'] as const;

export function counters({ view, ledger, report }: Bench): Checker {
  /** The node may have to count, since the counters last were equal. */
  const mayCount: Record<NodeName, boolean> = { a: true, b: true };
  /** Writes without an answer, and whether there were any at all since then. */
  const open: Record<NodeName, number> = { a: 0, b: 0 };
  const wrote: Record<NodeName, boolean> = { a: true, b: true };
  const wroteMs: Record<NodeName, number> = { a: 0, b: 0 };
  let areEqual = false;

  function inspect(): void {
    const [a, b] = [view.durableMetadata('a'), view.durableMetadata('b')];
    if (a === null || b === null || a.resuid === 0n || a.resuid !== b.resuid) return;
    check('a', a.localcnt, b.remotecnt);
    check('b', b.localcnt, a.remotecnt);
    const wereEqual = areEqual;
    areEqual = a.localcnt === b.remotecnt && b.localcnt === a.remotecnt;
    if (!areEqual || wereEqual || (!ledger.facts.a.connected && !ledger.facts.b.connected)) return;
    for (const node of NODES) {
      mayCount[node] = false;
      wrote[node] =
        open[node] > 0 || (!isSure(node) && view.nowMs() - wroteMs[node] < view.setup.timeout * 1000);
    }
  }

  /** What is answered has been done by both. Else the last word of the other node may still be on its way. */
  function isSure(node: NodeName): boolean {
    return view.mode(node) === 'fullsync' && view.modeSettled(node);
  }

  function check(node: NodeName, localcnt: bigint, remotecnt: bigint): void {
    if (localcnt <= remotecnt || mayCount[node]) return;
    mayCount[node] = true;
    // A change that could not be flushed has not happened, but it may be on the disk.
    if (view.diskWasBad(node)) return;
    // Before its end is announced, the session of a primary may be over. Whoever gets everything is new.
    if (open[node] > 0 || ofNode(ledger.facts, node).unconfirmed.length > 0 || everythingIsDue(node)) return;
    // A count that could not be flushed may become durable by a later flush.
    if (view.diskWasBad(node)) return;
    report(`${node} has counted, (${String(localcnt)} of ${String(remotecnt)}), and has done nothing alone`);
  }

  function everythingIsDue(node: NodeName): boolean {
    for (let extent = 0; extent < view.extents; extent++) if (!view.durableBit(node, extent)) return false;
    return true;
  }

  /** The session is over: writes on their way to the other node count. */
  function parted(node: NodeName): void {
    mayCount[node] ||= open[node] > 0 || (wrote[node] && !isSure(node));
  }

  return {
    issued({ node, write }) {
      if (write === 0) return;
      open[node]++;
      wrote[node] = true;
      wroteMs[node] = view.nowMs();
      if (!ofNode(ledger.facts, node).connected) mayCount[node] = true;
    },
    answered({ node, write }) {
      if (write !== 0) open[node]--;
    },
    deviceVanished(node) {
      parted(node);
      open[node] = 0;
    },
    event(node, role, event) {
      if (role !== 'primary') return;
      if (event === 'disconnect') parted(node);
      else if (event === 'connect') areEqual = false;
      else if (event === 'syncdone') {
        const [ours, theirs] = [view.metadata(node), view.metadata(otherNode(node))];
        if (ours === null || theirs === null) return;
        if (ours.localcnt === theirs.remotecnt && ours.remotecnt === theirs.localcnt) return;
        report(`${node} has synchronised, and the counters do not say so`);
      }
    },
    diskWritten(_node, offset) {
      if (offset < METADATA_BYTES) inspect();
    },
    diskFlushed: inspect,
    created() {
      for (const node of NODES) mayCount[node] = true;
    },
  };
}
