/** A recording must agree with itself: a value that is there twice says the same in both places. */
import { isDeepStrictEqual } from 'node:util';
import { encodeFrame } from '../../../core/wire/frame.js';
import { hexOf } from '../files.js';
import type { Case } from '../report.js';
import { patternBytes } from './content.js';
import { Image } from './image.js';
import { contentOf, nameOf, rangeOf, seqOf, sha256Of, viewOf, type Message } from './message.js';
import type { MessageLine, Recording } from './recording.js';

export function checkConsistency(test: Case, recording: Recording): void {
  for (const line of recording.lines) if (line.kind === 'message') checkMessage(test, line);
  const { initial, operations } = recording.header;
  for (const { op, pattern, length = 0, sha256 } of [...initial.history, ...operations])
    if (pattern !== undefined) test.same(`${op} sha256`, sha256, sha256Of(patternBytes(pattern, length)));
  checkResourceIds(test, recording);
  checkEnd(test, recording);
}

/** The recorder understood it as we do, and our encoder writes the same bytes. */
function checkMessage(test: Case, { number, message, decoded }: MessageLine): void {
  const { list, version, frame } = message;
  const ours = list === null ? null : { version, fields: viewOf(message).fields };
  if (!isDeepStrictEqual(ours, decoded)) test.same(`message ${String(number)}`, decoded, ours);
  if (list !== null) test.same('hex', hexOf(frame), hexOf(encodeFrame(version, list.pairs())));
}

/** A primary that has an id tells it to every secondary. */
function checkResourceIds(test: Case, { header, lines }: Recording): void {
  const { primary } = header.initial;
  if (primary === null || primary.resuid === '0') return;
  for (const line of lines) {
    const resuid = line.kind === 'message' ? (line.message.list?.bigint('resuid', 'uint64') ?? null) : null;
    if (resuid !== null) test.same('resuid', primary.resuid, String(resuid));
  }
}

/** What became of both data areas follows from what they were, the operations and the messages. */
function checkEnd(test: Case, { header, lines }: Recording): void {
  const { primary, secondary } = header.initial;
  const { final_secondary_equal: recorded } = header.outcome;
  const comparable = primary?.datasize === secondary?.datasize && secondary?.configured !== false;
  if (primary === null || secondary === null || !comparable) {
    test.same('final_secondary_equal', recorded, null);
    return;
  }
  const local = new Image(primary);
  const remote = new Image(secondary);
  for (const operation of header.operations) local.operate(operation);
  const asked: Message[] = [];
  for (const line of lines) {
    if (line.kind !== 'message') continue;
    const { dir, message } = line;
    if (dir === 'p>s') asked.push(message);
    else if (message.list?.has('received') !== true) answer(asked, message, local, remote);
  }
  test.same('final_secondary_equal', recorded, sha256Of(local.bytes) === sha256Of(remote.bytes));
}

function answer(asked: Message[], reply: Message, local: Image, remote: Image): void {
  const index = asked.findIndex((request) => seqOf(request) !== null && seqOf(request) === seqOf(reply));
  const [request] = index === -1 ? [] : asked.splice(index, 1);
  if (request === undefined || nameOf(reply) === 'error reply') return;
  remote.apply(request);
  const { offset, length } = rangeOf(request);
  const content = nameOf(request) === 'READ' ? contentOf(reply, length) : null;
  if (content !== null) local.write(offset, content);
}
