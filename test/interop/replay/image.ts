/** The data area of a node as the messages that went by have made it. */
import { dataArea, patternBytes } from './content.js';
import { contentOf, nameOf, rangeOf, type Message } from './message.js';
import type { IoRange } from './application.js';
import type { NodeState, Operation } from './recording.js';

export class Image {
  readonly bytes: Uint8Array;

  constructor(state: Pick<NodeState, 'datasize' | 'data'>) {
    this.bytes = dataArea(state);
  }

  /** Null: not in the area. */
  read({ offset, length }: IoRange): Uint8Array | null {
    return offset + length <= this.bytes.length ? this.bytes.slice(offset, offset + length) : null;
  }

  /** Carries out a WRITE or DELETE; another request changes nothing. */
  apply(request: Message): void {
    const range = rangeOf(request);
    const name = nameOf(request);
    const content = name === 'WRITE' ? contentOf(request, range.length) : null;
    if (content !== null) this.write(range.offset, content);
    else if (name === 'DELETE') this.write(range.offset, new Uint8Array(range.length));
  }

  /** Carries out a request of the application. */
  operate({ op, offset = 0, length = 0, pattern = 'zeros' }: Operation): void {
    if (op === 'device-write') this.write(offset, patternBytes(pattern, length));
    else if (op === 'device-delete') this.write(offset, new Uint8Array(length));
  }

  write(offset: number, content: Uint8Array): void {
    this.bytes.set(content, offset);
  }
}
