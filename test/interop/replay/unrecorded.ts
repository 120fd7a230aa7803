/**
 * What our primary may say although the recorded one did not, by what it says and when; each kind stands in
 * `differences.ts` with the weakness it is the remedy of.
 */
import { nameOf, rangeOf, sha256Of, contentOf, type Message } from './message.js';
import type { IoRange } from './application.js';
import { positionOf, type Header, type NodeState } from './recording.js';
import { sideOf } from './operator.js';

const SILENCE_MS = 10_000;
const MAX_REQUEST_BYTES = 131_072;

export interface Circumstances {
  readonly state: NodeState;
  /** Since the secondary has said something. */
  readonly silentMs: number;
  /** What the primary has asked until now. */
  readonly asked: readonly Message[];
  /** Each node's counters on disk are what the other one thinks they are. */
  readonly countersAgree: boolean;
  /** There is something to copy, says the primary's status. */
  readonly isDirty: () => boolean;
  /** Ranges the application has written or deleted. */
  readonly written: readonly IoRange[];
  /** What the primary's component holds. */
  readonly data: Uint8Array;
}

/** In a few words, or null: nothing explains it. */
export function explain(message: Message, circumstances: Circumstances): string | null {
  const range = rangeOf(message);
  switch (nameOf(message)) {
    case 'FLUSH':
      return isSomethingToFlush(circumstances) ? 'of its own' : null;
    case 'KEEPALIVE that says insync':
      return circumstances.countersAgree ? 'after the counters were made equal' : null;
    case 'KEEPALIVE that says incomplete':
      return circumstances.isDirty() ? 'before a synchronisation that the peer needs' : null;
    case 'READ':
      if (isProbe(range, circumstances)) return 'of one sector, after 10 s of silence';
      return isRepetition(range, circumstances) ? 'again, to repair the local copy' : null;
    case 'WRITE':
      return isCopy(message, circumstances) ? 'of a whole extent that was written before' : null;
    default:
      return null;
  }
}

/** Ranges that the application of the primary has written, in the history and up to a line. */
export function writtenRanges({ initial, operations }: Header, line: number): IoRange[] {
  const done = operations.filter((operation) => positionOf(operation) <= line);
  return [...initial.history, ...done]
    .filter((operation) => /^device-(write|delete)$/.test(operation.op) && sideOf(operation) === 'primary')
    .map(({ offset = 0, length = 0 }) => ({ offset, length }));
}

function isSomethingToFlush({ asked }: Circumstances): boolean {
  const last = asked.at(-1);
  return last !== undefined && nameOf(last) !== 'FLUSH';
}

function isRepetition({ offset, length }: IoRange, { asked }: Circumstances): boolean {
  return asked.some((earlier) => {
    const range = rangeOf(earlier);
    return nameOf(earlier) === 'READ' && range.offset === offset && range.length === length;
  });
}

function isProbe({ offset, length }: IoRange, { state, silentMs }: Circumstances): boolean {
  return offset === 0 && length === state.sectorsize && silentMs >= SILENCE_MS;
}

/** Synchronisation goes by extents, and copies what is there. */
function isCopy(message: Message, { state, written, data }: Circumstances): boolean {
  const { offset, length } = rangeOf(message);
  const { extentsize, datasize } = state;
  const extentStart = offset - (offset % extentsize);
  const extentEnd = Math.min(extentStart + extentsize, datasize);
  const wholePiece =
    (offset - extentStart) % MAX_REQUEST_BYTES === 0 &&
    length === Math.min(MAX_REQUEST_BYTES, extentEnd - offset);
  const before = written.some(
    (range) => range.offset < extentEnd && range.offset + range.length > extentStart,
  );
  const content = contentOf(message, length);
  const here = data.subarray(offset, offset + length);
  const plain = message.list?.has('memsync') === false;
  return wholePiece && before && plain && content !== null && sha256Of(content) === sha256Of(here);
}
