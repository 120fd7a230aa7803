/**
 * I20: only a node that the operator wants to be primary has a device, and one that he does not want any more loses it in time. Two
 * primaries that can reach each other tell him.
 */
import type { NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

/** A command takes so long to get through. */
const COMMAND_MS = 1_000;
/** Of a worker that was told to end: the daemon kills it after `timeout` and 10 s. */
const STOP_MS = 15_000;
/** A worker dials as soon as it has started. */
const FIRST_ATTEMPT_MS = 3_000;
/** Two attempts to connect; with the back-off after faults of the peer it may take longer. */
const REPORT_MS = 25_000;
const LONGEST_BACKOFF_MS = 300_000;
const REPORTS: ReadonlySet<string> = new Set(['dual-primary', 'split-brain', 'mismatch']);

export function oneDevice({ view, ledger, report }: Bench): Checker {
  const wanted: Record<NodeName, boolean> = { a: false, b: false };
  const stays: Record<NodeName, boolean> = { a: false, b: false };
  let changedMs = 0;
  let startedMs = 0;
  let toldMs = -Infinity;
  let faults = false;

  function checkLeftOver(node: NodeName): void {
    // A device that outlives its worker waits for somebody to take it over, or away.
    const isLate = view.isUp(node) && view.nodeCalmMs(node) > view.setup.timeout * 1000 + STOP_MS;
    const isWrong = ledger.facts[node].term !== null && view.role(node) !== 'primary' && isLate;
    if (isWrong && !stays[node]) report(`${node}, ${view.role(node)}, still has a device`);
    stays[node] = isWrong;
  }

  function checkDual(): void {
    const dual = view.role('a') === 'primary' && view.role('b') === 'primary';
    if (
      !dual ||
      view.isEnding('a') ||
      view.isEnding('b') ||
      !view.hasWorker('a') ||
      !view.hasWorker('b') ||
      toldMs >= changedMs
    )
      return;
    const calmMs = Math.min(view.linksCalmMs(), view.nodeCalmMs('a'), view.nodeCalmMs('b'));
    const laterMs = view.setup.timeout * 1000 + REPORT_MS + (faults ? LONGEST_BACKOFF_MS : 0);
    const sinceMs = view.nowMs() - Math.max(changedMs, startedMs);
    const limitMs = calmMs >= sinceMs ? FIRST_ATTEMPT_MS : laterMs;
    if (Math.min(calmMs, sinceMs) <= limitMs) return;
    report('both nodes are primary, and nobody says so');
    toldMs = view.nowMs();
  }

  return {
    roleOrdered(node, from, to) {
      wanted[node] = to === 'primary';
      if (from !== to) changedMs = view.nowMs();
    },
    workerStarted() {
      startedMs = view.nowMs();
    },
    deviceAppeared(node) {
      if (wanted[node] && view.role(node) === 'primary') return;
      if (view.nodeCalmMs(node) <= COMMAND_MS) return;
      report(`${node}, ${view.role(node)}, offers a device that nobody wants there`);
    },
    hook(_node, args) {
      if (REPORTS.has(args[0] ?? '')) toldMs = view.nowMs();
    },
    passed() {
      faults ||= view.diskWasBad('a') || view.diskWasBad('b');
      checkLeftOver('a');
      checkLeftOver('b');
      checkDual();
    },
  };
}
