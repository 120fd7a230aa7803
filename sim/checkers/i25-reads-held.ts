/**
 * I25, for READs: one fails with EIO and nothing else, and for a reason: a disk that refuses, or a peer with the newest data that
 * stays away for `timeout` (W9, W28). What a device answers is what its users know how to live with (W40).
 */
import type { Bench, Checker } from './checker.js';

const KNOWN: ReadonlySet<string> = new Set(['EIO', 'ENOSPC', 'EOPNOTSUPP']);
/** A timer may be early by as much as clocks are read. */
const SLACK_MS = 10;

export function readsHeld({ view, report }: Bench): Checker {
  return {
    answered({ node, command, block, error, issuedMs }) {
      if (error === null || error === undefined) return;
      const what = `a ${command} of block ${String(block)} on ${node}`;
      if (!KNOWN.has(error)) report(`${what} fails with ${error}`, block);
      if (command !== 'read' || view.diskWasBad('a') || view.diskWasBad('b')) return;
      const waitedMs = view.nowMs() - issuedMs;
      if (waitedMs >= view.setup.timeout * 1000 - SLACK_MS) return;
      report(`${what} fails after ${String(waitedMs)} ms, and no disk has refused anything`, block);
    },
  };
}
