/**
 * The daemon's own listening sockets: the control address and every `listen` address, at start (core/spec/cli.md
 * section 9) and through reloads (core/spec/config.md section 7).
 *
 * Addresses are compared by the place they mean, not by their text as the reference does: `0.0.0.0` and
 * `tcp4://0.0.0.0:8457` are one socket, which is kept.
 */
import { formatAddress, parseAddress } from '../config/address.js';
import type { Config } from '../config/types.js';
import { isPortError, type PortError } from '../ports/error.js';
import type { Listener, Network, Socket, SocketHandler } from '../ports/network.js';
import type { Log } from '../ports/log.js';
import { canonicalIp } from './access.js';
import type { Failure } from './ports.js';

const EXIT_OSERR = 71;

type Accept = (socket: Socket) => SocketHandler;
type Use = 'control' | 'peer';

/** A listen address of hast.conf. After a reload one may be unbound; it is tried again at the next. */
interface Entry {
  readonly address: string;
  readonly place: string;
  readonly listener: Listener | null;
}

interface Bound extends Entry {
  readonly listener: Listener;
}

/** Sockets that a reload wants: what is new is bound already, what goes is not closed yet. */
export interface Switch {
  readonly control: Bound;
  readonly entries: readonly Entry[];
}

export class ListeningSockets {
  readonly #network: Network;
  readonly #log: Log;
  readonly #accept: Readonly<Record<Use, Accept>>;
  /** Every listener that is open or being opened. */
  readonly #open = { control: new Set<Listener>(), peer: new Set<Listener>() };
  #control: Bound | null = null;
  #entries: readonly Entry[] = [];
  #ending = false;

  constructor(network: Network, log: Log, accept: Readonly<Record<Use, Accept>>) {
    this.#network = network;
    this.#log = log;
    this.#accept = accept;
  }

  /** Binds everything, or nothing and tells why. */
  open(config: Config, done: (failure: Failure | null) => void): void {
    this.#bind(config.control, 'control', (control) => {
      if (isPortError(control)) {
        done(failureOf(`Unable to listen on control address ${config.control}`, control));
        return;
      }
      this.#control = control;
      this.#openPeers(config.listen, done);
    });
  }

  #openPeers(addresses: readonly string[], done: (failure: Failure | null) => void): void {
    const [address, ...others] = addresses;
    if (address === undefined) {
      done(null);
      return;
    }
    this.#bind(address, 'peer', (bound) => {
      if (isPortError(bound)) {
        this.close();
        done(failureOf(`Unable to listen on address ${address}`, bound));
        return;
      }
      this.#entries = [...this.#entries, bound];
      this.#openPeers(others, done);
    });
  }

  /** Binds what `wanted` has and we have not; null, with nothing changed, when the reload must be given up. */
  prepare(wanted: Config, done: (prepared: Switch | null) => void): void {
    this.#prepareControl(wanted.control, (control) => {
      if (control === null) {
        done(null);
        return;
      }
      this.#prepareEntries(wanted.listen, [], (entries) => {
        const prepared = { control, entries };
        if (entries.some(({ listener }) => listener !== null)) {
          done(prepared);
          return;
        }
        this.#log.write('error', 'No addresses to listen on.');
        this.undo(prepared);
        done(null);
      });
    });
  }

  #prepareControl(address: string, done: (control: Bound | null) => void): void {
    const current = this.#control;
    this.#placeOf(address, (place) => {
      if (current !== null && current.place === place) {
        done(current);
        return;
      }
      this.#bindAt(address, place, 'control', (bound) => {
        if (isPortError(bound))
          this.#log.write('error', `Unable to listen on control address ${address}: ${bound.message}.`);
        done(isPortError(bound) ? null : bound);
      });
    });
  }

  /** One after another, so that an address named twice is bound once. */
  #prepareEntries(
    addresses: readonly string[],
    ready: readonly Entry[],
    done: (entries: readonly Entry[]) => void,
  ): void {
    const [address, ...others] = addresses;
    if (address === undefined) {
      done(ready);
      return;
    }
    const next = (entry: Entry): void => {
      this.#prepareEntries(others, [...ready, entry], done);
    };
    this.#placeOf(address, (place) => {
      const kept = this.#entries.find((entry) => entry.place === place && entry.listener !== null);
      if (kept !== undefined && !ready.some(({ listener }) => listener === kept.listener)) {
        next({ ...kept, address });
        return;
      }
      this.#bindAt(address, place, 'peer', (bound) => {
        if (isPortError(bound))
          this.#log.write('warning', `Unable to listen on address ${address}: ${bound.message}.`);
        next(isPortError(bound) ? { address, place, listener: null } : bound);
      });
    });
  }

  /** Closes what `prepare` has bound. */
  undo(prepared: Switch): void {
    for (const { listener } of [prepared.control, ...prepared.entries])
      if (listener !== null && !this.#isOurs(listener)) this.#release(listener);
  }

  /** Closes what `prepared` does without, and says what changed. */
  commit(prepared: Switch): void {
    const control = this.#control;
    if (control !== null && prepared.control !== control) {
      this.#release(control.listener);
      const text = `Control socket changed from ${control.address} to ${prepared.control.address}.`;
      this.#log.write('info', text);
    }
    for (const { address, listener } of prepared.entries) {
      if (listener === null) continue;
      const text = this.#isOurs(listener) ? 'Keep listening on address' : 'Listening on new address';
      this.#log.write('info', `${text} ${address}.`);
    }
    for (const { address, listener } of this.#entries) {
      if (listener === null || prepared.entries.some((entry) => entry.listener === listener)) continue;
      this.#release(listener);
      this.#log.write('info', `No longer listening on address ${address}.`);
    }
    this.#control = prepared.control;
    this.#entries = prepared.entries;
  }

  /** No peer can connect any more; hastctl sees that the daemon is still there. Nothing is bound from now on. */
  closePeers(): void {
    this.#ending = true;
    for (const listener of this.#open.peer) this.#release(listener);
  }

  /** Everything. */
  close(): void {
    this.closePeers();
    for (const listener of this.#open.control) this.#release(listener);
  }

  #release(listener: Listener): void {
    const wasOpen = this.#open.control.delete(listener) || this.#open.peer.delete(listener);
    if (wasOpen) listener.close();
  }

  #isOurs(listener: Listener): boolean {
    return [this.#control, ...this.#entries].some((entry) => entry?.listener === listener);
  }

  #bind(address: string, use: Use, done: (bound: Bound | PortError) => void): void {
    this.#placeOf(address, (place) => {
      this.#bindAt(address, place, use, done);
    });
  }

  #bindAt(address: string, place: string, use: Use, done: (bound: Bound | PortError) => void): void {
    const listener = this.#network.listen(address, this.#accept[use], (error) => {
      if (error !== null) this.#release(listener);
      done(error ?? { address, place, listener });
    });
    this.#open[use].add(listener);
  }

  /** The one text for all addresses that are bound at the same place. */
  #placeOf(address: string, done: (place: string) => void): void {
    const parsed = parseAddress(address);
    if (isPortError(parsed) || parsed.kind === 'unix') {
      done(isPortError(parsed) ? address : formatAddress(parsed));
      return;
    }
    this.#network.resolve(address, (error, [ip]) => {
      if (this.#ending) return;
      const host = error === null && ip !== undefined ? (canonicalIp(ip) ?? ip) : parsed.host;
      done(formatAddress({ ...parsed, family: 0, host }));
    });
  }
}

function failureOf(what: string, error: PortError): Failure {
  return { exitCode: EXIT_OSERR, text: `${what}: ${error.message}.` };
}
