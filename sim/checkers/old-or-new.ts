/**
 * Metadata after a crash: the old block, the new one, or one that is refused; never a mixture of both, and never one from before
 * what was durable.
 */
import type { Metadata } from '../../core/metadata/codec.js';
import type { NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const METADATA_BYTES = 4096;

/** What was to be written to one disk, in order, as texts. */
interface Past {
  versions: string[];
  /** Index of the version that no crash can take. */
  durable: number;
}

export function oldOrNew({ view, report }: Bench): Checker {
  const pasts: Record<NodeName, Past> = { a: newPast(), b: newPast() };

  function inspect(node: NodeName): void {
    const { versions, durable } = pasts[node];
    const metadata = view.metadata(node);
    if (metadata === null || versions.length === 0) return;
    const found = textOf(metadata);
    if (versions.lastIndexOf(found) >= durable) return;
    report(`after a crash the metadata of ${node} is neither old nor new: ${found}`);
  }

  function forget(node: NodeName): void {
    pasts[node] = newPast();
  }

  return {
    diskWriteStarted(node, offset, length, source) {
      if (offset !== 0 || length !== METADATA_BYTES || source === null) return;
      const { versions } = pasts[node];
      if (versions.length === 0) versions.push(textOf(view.metadata(node)));
      versions.push(textOf(view.decode(node, source)));
    },
    diskFlushed(node) {
      const past = pasts[node];
      if (past.durable >= past.versions.length - 1) return;
      const index = past.versions.lastIndexOf(textOf(view.durableMetadata(node)));
      past.durable = Math.max(past.durable, index);
    },
    workerStarted: inspect,
    powerLost(node) {
      inspect(node);
      forget(node);
    },
    created: forget,
  };
}

function newPast(): Past {
  return { versions: [], durable: 0 };
}

function textOf(metadata: Metadata | null): string {
  if (metadata === null) return 'refused';
  const { resuid, localcnt, remotecnt, prevrole, incomplete, localBad } = metadata;
  const bad = localBad.map(({ offset, length }) => `${String(offset)}+${String(length)}`).join(' ');
  const counts = `(${String(localcnt)},${String(remotecnt)})`;
  return `${String(resuid)} ${counts} ${prevrole} ${incomplete ? 'incomplete' : 'complete'} ${bad}`;
}
