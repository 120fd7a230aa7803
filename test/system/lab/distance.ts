/** Between the hosts, kilometres: their connections go through a proxy on the host that dials, and take their time. */
import { fileURLToPath } from 'node:url';
import type { Host } from './host.js';
import type { Program } from './machine.js';

const PROXY = fileURLToPath(new URL('distance-proxy.js', import.meta.url));
const HAST_PORT = 8457;
/** Nobody else's connections. */
const PROXY_UID = 65_534;

export class Distance {
  readonly #proxies: Program[] = [];

  /** Applies to connections that are made from now on, until a host is powered off. */
  static async between(one: Host, other: Host): Promise<Distance> {
    const distance = new Distance();
    await distance.#lengthen(one, other);
    await distance.#lengthen(other, one);
    return distance;
  }

  /** For everything that is sent from now on. */
  setRoundTrip(ms: number): void {
    for (const proxy of this.#proxies) proxy.say(String(ms / 2));
  }

  async #lengthen(from: Host, to: Host): Promise<void> {
    const command = [process.execPath, PROXY, to.address, HAST_PORT, PROXY_UID].join(' ');
    const proxy = from.start('distance', command);
    await proxy.logged('ready');
    this.#proxies.push(proxy);
    const rule = `ip daddr ${to.address} tcp dport ${HAST_PORT} meta skuid != ${PROXY_UID} redirect to :${HAST_PORT + 1000}`;
    await from.run(
      `nft 'table ip distance { chain output { type nat hook output priority -100; ${rule}; }; }'`,
    );
  }
}
