/**
 * One end of a connection as the kernel of a machine has it. It outlives the process that used it (the kernel closes
 * it), and a machine that loses power forgets it without a word.
 */
import type { Channel } from './channel.js';

/** What the process behind an endpoint is told; nothing while it is handed over from one to another. */
export interface EndpointUser {
  established(): void;
  /** Bytes, the end of the stream or a reset wait to be noticed. */
  readable(): void;
  /** There is room again after `send` took less than was offered. */
  writable(): void;
}

type State = 'connecting' | 'open' | 'refused' | 'reset' | 'closed';

export class Endpoint {
  readonly localAddress: string;
  readonly remoteAddress: string;
  user: EndpointUser | null = null;
  readonly #inward: Channel;
  readonly #outward: Channel;
  #state: State = 'connecting';
  #isForgotten = false;
  #isFinished = false;

  constructor(localAddress: string, remoteAddress: string, inward: Channel, outward: Channel) {
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#inward = inward;
    this.#outward = outward;
    inward.receiver = this;
    outward.sender = this;
  }

  get state(): State {
    return this.#state;
  }

  /** Something may still come of it. */
  get isLive(): boolean {
    return this.#state === 'open' || this.#state === 'connecting';
  }

  get unreadBytes(): number {
    return this.#inward.unreadBytes;
  }

  /** The other end has sent all it will send, and all of it was read. */
  get atEnd(): boolean {
    return this.#isFinished && this.#inward.unreadBytes === 0;
  }

  /** The accepting side: open at once, and the dialling side when the answer arrives. */
  accept(): void {
    this.#state = 'open';
    this.#outward.send('answer');
  }

  /** Takes as much of `bytes` as fits; the number of bytes taken. They leave with `flush`. */
  send(bytes: Uint8Array): number {
    return this.#state === 'open' ? this.#outward.write(bytes) : 0;
  }

  flush(): void {
    this.#outward.flush();
  }

  /** Moves what fits of the unread bytes to `target`; their number. */
  read(target: Uint8Array): number {
    return this.#inward.read(target);
  }

  /** Ends the outgoing stream; what comes in can still be read. */
  finish(): void {
    if (this.#state === 'open') this.#outward.send('end');
  }

  /** Closes this end: the other one sees the end of the stream, or a reset when bytes were left unread. */
  close(): void {
    const wasOpen = this.#state === 'open';
    const resets = this.unreadBytes > 0;
    this.user = null;
    this.#become('closed');
    if (wasOpen) this.#outward.send(resets ? 'reset' : 'end');
  }

  /** The machine lost power: nobody is told, and packets to this end find nobody. */
  forget(): void {
    this.#isForgotten = true;
    this.user = null;
    this.#outward.abandon();
    this.#become('closed');
  }

  /** The machine is on again: packets to an end that it does not know are answered by a reset. */
  remember(): void {
    this.#isForgotten = false;
  }

  /** The answer to the request has arrived. */
  answered(): void {
    if (this.#state !== 'connecting') {
      this.#answerWithReset();
      return;
    }
    this.#state = 'open';
    this.user?.established();
  }

  /** Nobody listens where the request went. */
  refused(): void {
    if (this.#state !== 'connecting') return;
    this.#become('refused');
    this.user?.readable();
  }

  /** Bytes have arrived. */
  received(): void {
    if (this.#state === 'open') this.user?.readable();
    else {
      this.#inward.discardUnread();
      this.#answerWithReset();
    }
  }

  /** The other end has sent all it will send. */
  ended(): void {
    if (this.#state !== 'open') return;
    this.#isFinished = true;
    this.user?.readable();
  }

  reset(): void {
    if (!this.isLive) return;
    if (this.#inward.link.discardsUnread()) this.#inward.discardUnread();
    this.#become('reset');
    this.user?.readable();
  }

  #become(state: 'refused' | 'reset' | 'closed'): void {
    this.#state = state;
    this.#outward.connection.lostEnd();
  }

  #answerWithReset(): void {
    if (!this.#isForgotten) this.#outward.send('reset');
  }
}
