/**
 * Nothing is leaked: once everything has come to rest, no slot is taken and no operation is under way, as the nodes themselves
 * count (core/spec/control.md section 5). A range that somebody has forgotten to give back keeps requests waiting for ever (I25).
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const SLOTS = 255;

export function leaks({ view, report }: Bench): Checker {
  function inspect(node: NodeName): void {
    const status = view.status(node);
    if (status === null) return;
    const { idleQueue, localQueue, sendQueue, doneQueue } = status;
    if (idleQueue !== SLOTS) report(`${node} rests, and ${String(SLOTS - idleQueue)} slots are taken`);
    const queued = localQueue + sendQueue + doneQueue;
    if (queued > 0) report(`${node} rests, and ${String(queued)} requests are in queues`);
  }

  return {
    quiet(primary) {
      inspect(primary);
      inspect(otherNode(primary));
    },
  };
}
