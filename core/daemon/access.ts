/**
 * Who may connect: a peer whose IP address is one that `remote` stands for (core/spec/wire.md section 6.1). Names are
 * resolved in the background and remembered for a short while; nobody waits for somebody else's name (W30).
 */
import type { Clock } from '../ports/clock.js';
import type { Network } from '../ports/network.js';

const REMEMBER_MS = 10_000;
/** A resolver that failed is asked again soon: its peer is locked out meanwhile. */
const RETRY_MS = 1_000;

interface Entry {
  addresses: readonly string[];
  freshUntilMs: number;
  /** Not null while the resolver is at work. */
  waiting: ((addresses: readonly string[]) => void)[] | null;
}

export class Access {
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, network: Network) {
    this.#clock = clock;
    this.#network = network;
  }

  /** Whether `remote`, an address of hast.conf, stands for `ip`. `none` stands for nobody. */
  matches(remote: string, ip: string | null, done: (matches: boolean) => void): void {
    if (remote === 'none' || ip === null) done(false);
    else this.#resolve(remote, (addresses) => done(addresses.includes(ip)));
  }

  /** Whether one of `remotes` stands for `ip`: answered at the first that does. */
  matchesAny(remotes: readonly string[], ip: string | null, done: (matches: boolean) => void): void {
    let missing = remotes.length;
    let answered = false;
    if (missing === 0) done(false);
    for (const remote of remotes) {
      this.matches(remote, ip, (matches) => {
        missing--;
        if (answered || (!matches && missing > 0)) return;
        answered = true;
        done(matches);
      });
    }
  }

  #resolve(remote: string, done: (addresses: readonly string[]) => void): void {
    const entry = this.#entries.get(remote) ?? { addresses: [], freshUntilMs: -1, waiting: null };
    this.#entries.set(remote, entry);
    if (entry.waiting !== null) {
      entry.waiting.push(done);
      return;
    }
    if (this.#clock.now() < entry.freshUntilMs) {
      done(entry.addresses);
      return;
    }
    entry.waiting = [done];
    this.#network.resolve(remote, (error, addresses) => {
      // While the resolver fails, what it said last is the best we know.
      if (error === null) entry.addresses = addresses.map((address) => canonicalIp(address) ?? address);
      entry.freshUntilMs = this.#clock.now() + (error === null ? REMEMBER_MS : RETRY_MS);
      const waiting = entry.waiting ?? [];
      entry.waiting = null;
      for (const answer of waiting) answer(entry.addresses);
    });
  }
}

/** The IP address in a socket's address (`tcp://ip:port`, `tcp://[ip6]:port`) as `canonicalIp`; null if there is none. */
export function ipOf(socketAddress: string): string | null {
  const host = /^tcp:\/\/(?:\[(.+)\]|([0-9.]+)):\d+$/.exec(socketAddress);
  return canonicalIp(host?.[1] ?? host?.[2] ?? '');
}

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
/** What nearly every address is already. */
const CANONICAL_IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);

/** One spelling for each address; an IPv4-mapped IPv6 address is not the IPv4 one. Null if `text` is no IP address. */
export function canonicalIp(text: string): string | null {
  if (CANONICAL_IPV4.test(text)) return text;
  if (!text.includes(':')) return ipv4Bytes(text)?.join('.') ?? null;
  const [head = '', tail, ...more] = (text.split('%')[0] ?? '').split('::');
  if (more.length > 0) return null;
  const before = groups(head);
  const after = groups(tail ?? '');
  if (before === null || after === null) return null;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const zeros = Array.from({ length: missing }, () => 0);
  return [...before, ...zeros, ...after].map((group) => group.toString(16)).join(':');
}

/** The 16-bit groups of one side of an IPv6 address; the last 32 bits may be written as IPv4. */
function groups(text: string): number[] | null {
  if (text === '') return [];
  const result: number[] = [];
  for (const part of text.split(':')) {
    const ipv4 = ipv4Bytes(part);
    if (ipv4 !== null) {
      const [a = 0, b = 0, c = 0, d = 0] = ipv4;
      result.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      result.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return result;
}

function ipv4Bytes(text: string): number[] | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return null;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}
