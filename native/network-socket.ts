/** What the connections of a NodeNetwork have in common, whoever drives them: ends, a handler, and bytes that wait for it. */
import { assert } from '../core/base/assert.js';
import type { Turns } from '../core/base/turns.js';
import type { PortError } from '../core/ports/error.js';
import type { DetachedSocket, Socket, SocketHandler } from '../core/ports/network.js';

const NOTHING = new Uint8Array(0);

/** The two ends of a connection, as `Socket` shows them. */
export interface Ends {
  readonly local: string;
  readonly remote: string;
  readonly peerUid: number | null;
}

/** How a socket begins; an established one is paused until `resume`. */
export type Start = 'dialling' | { readonly unread: Uint8Array };

export abstract class NetworkSocket implements Socket {
  protected readonly turns: Turns;
  protected ends: Ends;
  protected handler: SocketHandler | null;
  protected paused: boolean;
  protected gone = false;
  /** Received and not yet taken by the handler. */
  protected unread: Uint8Array;

  /** `handler` may follow with `attach`. */
  constructor(turns: Turns, handler: SocketHandler | null, ends: Ends, start: Start) {
    this.turns = turns;
    this.handler = handler;
    this.ends = ends;
    this.paused = start !== 'dialling';
    this.unread = start === 'dialling' ? NOTHING : start.unread;
  }

  get localAddress(): string {
    return this.ends.local;
  }

  get remoteAddress(): string {
    return this.ends.remote;
  }

  get peerUid(): number | null {
    return this.ends.peerUid;
  }

  /** The handler of an accepted socket is known only after the socket. */
  attach(handler: SocketHandler): void {
    this.handler = handler;
  }

  /** A dialled socket is connected: only now it has ends, and what was sent can go out. */
  abstract establish(ends: Ends): void;
  /** Ends the connection because of `error`. */
  abstract fail(error: PortError): void;
  abstract send(chunks: readonly Uint8Array[]): void;
  abstract pause(): void;
  abstract resume(): void;
  abstract detach(): DetachedSocket;
  abstract destroy(): void;

  /** Copies what is unread to where the handler wants it, as long as it wants any; within a turn. */
  protected readonly deliverUnread = (): void => {
    const { handler } = this;
    while (handler !== null && this.unread.length > 0 && !this.paused && !this.gone) {
      const target = handler.target();
      const part = this.unread.subarray(0, target.length);
      assert(part.length > 0, 'there is always room for a byte');
      target.set(part);
      this.unread = part.length === this.unread.length ? NOTHING : this.unread.subarray(part.length);
      handler.filled(part.length);
    }
  };
}
