/**
 * I8b: while connected and undisturbed, what is dirty gets less, and in the end nothing is. What `status` counts never grows by
 * itself, and is a number of extents of the device.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

/** An extent that could not be copied is tried again after a minute at most. */
const PROGRESS_MS = 100_000;

/** What was seen of one primary. */
interface Watch {
  session: number;
  dirty: number;
  /** Writes of the application so far. */
  writes: number;
  /** Nothing of the application's was under way. */
  idle: boolean;
  /** Since when no extent has become clean. */
  sinceMs: number;
}

export function progress({ view, ledger, report }: Bench): Checker {
  const watches: Record<NodeName, Watch> = { a: newWatch(), b: newWatch() };

  function look(node: NodeName, watch: Watch): void {
    const { connected, session } = ledger.facts[node];
    const status = connected ? view.status(node) : null;
    if (status === null) {
      watch.session = -1;
      return;
    }
    const { dirty, extentsize } = status;
    const nowMs = view.nowMs();
    const writes = ledger.writes.length;
    const idle = view.outstanding() === 0 && ledger.facts[node].unconfirmed.length === 0;
    const before = watch.session === session ? watch.dirty : Infinity;
    if (dirty < 0 || dirty > view.extents * extentsize || dirty % extentsize !== 0) {
      report(`${node} says that ${String(dirty)} bytes are dirty, of ${String(view.extents)} extents`);
    }
    if (dirty > before && watch.idle && watch.writes === writes) {
      report(`on ${node} more is dirty than before, ${String(dirty)} bytes, and nobody wrote anything`);
    }
    if (dirty === 0 || dirty < before || watch.writes !== writes) watch.sinceMs = nowMs;
    const calmMs = Math.min(view.linksCalmMs(), view.nodeCalmMs(node), view.nodeCalmMs(otherNode(node)));
    if (Math.min(nowMs - watch.sinceMs, calmMs) > PROGRESS_MS) {
      report(`${node} is connected, ${String(dirty)} bytes are dirty, and nothing becomes less`);
      watch.sinceMs = nowMs;
    }
    watch.session = session;
    watch.dirty = dirty;
    watch.writes = writes;
    watch.idle = idle;
  }

  return {
    passed() {
      look('a', watches.a);
      look('b', watches.b);
    },
  };
}

function newWatch(): Watch {
  return { session: -1, dirty: 0, writes: 0, idle: false, sinceMs: 0 };
}
