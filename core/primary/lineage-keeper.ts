import { viewOf } from '../base/bytes.js';
import type { MetadataStore } from '../metadata/store.js';
import type { Entropy } from '../ports/entropy.js';
import type { Done, PortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';

/**
 * Which writes the peer may lack, told by the counters (core/spec/replication.md section 3). Before a write is acknowledged that
 * the peer does not have, `localcnt` is increased, durably (I16, W3); once is enough until the next completed
 * synchronisation of this very worker (W2). A node that was never connected gets its resource id first, so that its
 * lonely writes can never be mistaken for none (W5).
 */
export class LineageKeeper {
  readonly #metadata: MetadataStore;
  readonly #entropy: Entropy;
  readonly #log: Log;
  /** Drawn once: one that could not be stored may be on the disk all the same (I28). */
  #resourceId = 0n;
  #separated = false;
  #era = 0;
  #storing = false;
  #waiters: Done[] = [];

  constructor(metadata: MetadataStore, entropy: Entropy, log: Log) {
    this.#metadata = metadata;
    this.#entropy = entropy;
    this.#log = log;
  }

  /** The counters already say that this node wrote alone. */
  get separated(): boolean {
    return this.#separated;
  }

  /** A count is being increased: what was said in a handshake is about to be out of date. */
  get storing(): boolean {
    return this.#storing;
  }

  /** Makes the counters say so; an error means that nothing may be acknowledged. */
  separate(done: Done): void {
    this.#waiters.push(done);
    if (this.#storing) return;
    this.#storing = true;
    const era = this.#era;
    this.#metadata.update(
      (current) => ({
        resuid: current.resuid === 0n ? this.#newResourceId() : current.resuid,
        localcnt: current.localcnt + 1n,
      }),
      (error) => {
        this.#storing = false;
        if (error === null) {
          if (era === this.#era) this.#separated = true;
          this.#log.write('debug1', `Increasing localcnt to ${String(this.#metadata.current.localcnt)}.`);
        }
        this.#tell(error);
      },
    );
  }

  /** Makes the resource id durable before a peer hears of it (M3); `virgin` tells whether it was 0 until now. */
  identify(done: (error: PortError | null, virgin: boolean) => void): void {
    if (this.#metadata.current.resuid !== 0n) {
      done(null, false);
      return;
    }
    this.#metadata.update(
      (current) => ({ resuid: current.resuid === 0n ? this.#newResourceId() : current.resuid }),
      (error) => {
        // A lonely write may have made the id meanwhile, and then it counted.
        done(error, this.#metadata.current.localcnt === 0n);
      },
    );
  }

  /** A synchronisation has completed: both nodes agree (M6). The next lonely write counts anew. */
  rejoin(peer: { localcnt: bigint; remotecnt: bigint }, done: Done): void {
    this.#separated = false;
    this.#era++;
    this.#metadata.update(
      () => ({ localcnt: peer.remotecnt, remotecnt: peer.localcnt, incomplete: false }),
      done,
    );
  }

  #newResourceId(): bigint {
    while (this.#resourceId === 0n) {
      this.#resourceId = viewOf(this.#entropy.bytes(8)).getBigUint64(0, true);
    }
    return this.#resourceId;
  }

  #tell(error: PortError | null): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const done of waiters) done(error);
  }
}
