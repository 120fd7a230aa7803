/**
 * One end of a connection as the kernel of a machine has it: buffers and the packets FIN and RST. It outlives the
 * process that used it (the kernel closes it), and a machine that loses power forgets it without a word.
 */
import type { Channel } from './link.js';

/** What the process behind an endpoint is told; nothing while it is handed over from one to another. */
export interface EndpointUser {
  established(): void;
  /** Bytes, the end of the stream or a reset wait to be noticed. */
  readable(): void;
  /** There is room again after `send` took less than was offered. */
  writable(): void;
}

type State = 'connecting' | 'open' | 'refused' | 'reset' | 'closed';

/** Bytes sent and not read by the other end: send buffer, network and receive buffer together. */
const CAPACITY = 256 * 1024;

export class Endpoint {
  readonly localAddress: string;
  readonly remoteAddress: string;
  user: EndpointUser | null = null;
  readonly #outward: Channel;
  #peer: Endpoint | null = null;
  #state: State = 'connecting';
  #forgotten = false;
  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #finished = false;
  #room = CAPACITY;
  #wantsRoom = false;

  constructor(localAddress: string, remoteAddress: string, outward: Channel) {
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#outward = outward;
  }

  get state(): State {
    return this.#state;
  }

  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  /** The other end has sent all it will send, and all of it was read. */
  get atEnd(): boolean {
    return this.#finished && this.#unreadBytes === 0;
  }

  /** The accepting side: open at once, and the dialling side when the answer arrives. */
  acceptFrom(dialler: Endpoint): void {
    this.#peer = dialler;
    this.#state = 'open';
    this.#outward.transmit(() => {
      dialler.#answered(this);
    });
  }

  /** Nobody listens where the dialler wants to go: the answer on `back` is a reset. */
  refuse(back: Channel): void {
    back.transmit(() => {
      if (this.#state !== 'connecting') return;
      this.#state = 'refused';
      this.user?.readable();
    });
  }

  /** Takes as much of `bytes` as fits; the number of bytes taken. */
  send(bytes: Uint8Array): number {
    const peer = this.#peer;
    if (this.#state !== 'open' || peer === null) return 0;
    const taken = Math.min(bytes.length, this.#room);
    this.#wantsRoom = taken < bytes.length;
    this.#room -= taken;
    if (taken > 0) {
      for (const fragment of this.#outward.link.fragment(bytes.slice(0, taken))) {
        this.#outward.transmit(() => {
          peer.#received(fragment);
        });
      }
    }
    return taken;
  }

  /** Moves what fits of the unread bytes to `target`; their number. */
  read(target: Uint8Array): number {
    let filled = 0;
    for (let head = this.#unread[0]; head !== undefined && filled < target.length; head = this.#unread[0]) {
      const part = head.subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      if (part.length === head.length) this.#unread.shift();
      else this.#unread[0] = head.subarray(part.length);
    }
    this.#unreadBytes -= filled;
    if (this.#peer !== null) this.#peer.#makeRoom(filled);
    return filled;
  }

  /** Ends the outgoing stream; what comes in can still be read. */
  finish(): void {
    const peer = this.#peer;
    if (this.#state !== 'open' || peer === null) return;
    this.#outward.transmit(() => {
      peer.#ended();
    });
  }

  /** Closes this end: the other one sees the end of the stream, or a reset when bytes were left unread. */
  close(): void {
    const peer = this.#peer;
    const wasOpen = this.#state === 'open';
    const resets = this.#unreadBytes > 0;
    this.#state = 'closed';
    this.user = null;
    if (!wasOpen || peer === null) return;
    this.#outward.transmit(() => {
      if (resets) peer.reset();
      else peer.#ended();
    });
  }

  /** The machine lost power: nobody is told, and packets to this end find nobody. */
  forget(): void {
    this.#state = 'closed';
    this.#forgotten = true;
    this.user = null;
  }

  /** The machine is on again: packets to an end that it does not know are answered by a reset. */
  remember(): void {
    this.#forgotten = false;
  }

  /** A reset arrived. */
  reset(): void {
    if (this.#state !== 'open' && this.#state !== 'connecting') return;
    this.#state = 'reset';
    if (this.#outward.link.discardsUnread()) {
      this.#unread = [];
      this.#unreadBytes = 0;
    }
    this.user?.readable();
  }

  #answered(peer: Endpoint): void {
    if (this.#state !== 'connecting') {
      this.#answerWithReset(peer);
      return;
    }
    this.#peer = peer;
    this.#state = 'open';
    this.user?.established();
  }

  #received(bytes: Uint8Array): void {
    if (this.#state !== 'open') {
      if (this.#peer !== null) this.#answerWithReset(this.#peer);
      return;
    }
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    this.user?.readable();
  }

  #ended(): void {
    if (this.#state !== 'open') return;
    this.#finished = true;
    this.user?.readable();
  }

  #answerWithReset(peer: Endpoint): void {
    if (this.#forgotten) return;
    this.#outward.transmit(() => {
      peer.reset();
    });
  }

  /** Acknowledgements take no time and pass a cut link: only data is worth simulating. */
  #makeRoom(bytes: number): void {
    this.#room += bytes;
    if (!this.#wantsRoom || this.#room === 0) return;
    this.#wantsRoom = false;
    this.user?.writable();
  }
}
