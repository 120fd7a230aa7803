/**
 * The network of a lab: a switch with a cable to each host, and whoever is neither host plugged into the switch itself.
 * What is cut here is cut as by a bad cable: nobody is told, in the direction given and no other.
 */
import type { Machine } from './machine.js';

export type HostName = 'alpha' | 'beta';
/** Where a packet comes from or goes to. */
export type Place = HostName | 'outside';

export const ADDRESS: Readonly<Record<Place, string>> = {
  alpha: '10.55.0.1',
  beta: '10.55.0.2',
  outside: '10.55.0.3',
};
/** Of every host: the interface at the end of its cable. */
const INTERFACE = 'lan';

const PREFIX = 24;
const SWITCH = 'switch';
/** A machine that comes back has the address it had, and nobody has to learn another. */
const HARDWARE_ADDRESS: Readonly<Record<Place, string>> = {
  alpha: '02:00:00:00:00:01',
  beta: '02:00:00:00:00:02',
  outside: '02:00:00:00:00:03',
};

export class Network {
  readonly #outside: Machine;
  readonly #cuts = new Set<string>();
  readonly #disconnected = new Set<HostName>();

  constructor(outside: Machine) {
    this.#outside = outside;
  }

  async open(): Promise<void> {
    await this.#outside.run(
      [
        `ip link add ${SWITCH} address ${HARDWARE_ADDRESS.outside} type bridge mcast_snooping 0`,
        `ip address add ${ADDRESS.outside}/${PREFIX} dev ${SWITCH}`,
        `ip link set ${SWITCH} up`,
        'ip link set lo up',
      ].join(' && '),
    );
  }

  /** The cable of a host that has just booted. */
  async plugIn(name: HostName, host: Machine): Promise<void> {
    const end = ['address', HARDWARE_ADDRESS[name], 'type', 'veth'];
    const other = ['peer', 'name', name, 'netns', String(this.#outside.firstPid)];
    // The kernel takes its time to remove what was left in the namespace of a machine that is off.
    await this.#outside.try(`ip link delete ${name}`);
    await host.runOnNetwork('ip', 'link', 'add', INTERFACE, ...end, ...other);
    await host.run(
      `ip address add ${ADDRESS[name]}/${PREFIX} dev ${INTERFACE} && ip link set ${INTERFACE} up && ip link set lo up`,
    );
    await this.#outside.run(`ip link set ${name} master ${SWITCH} up`);
    await this.reconnect(name);
  }

  /** Packets from one place to the other are lost from now on. */
  async cut(from: Place, to: Place): Promise<void> {
    this.#cuts.add(`${from} ${to}`);
    await this.#apply();
  }

  /** Packets between two places are lost, both ways. */
  async separate(one: Place, other: Place): Promise<void> {
    this.#cuts.add(`${one} ${other}`).add(`${other} ${one}`);
    await this.#apply();
  }

  /** A host hears nobody and nobody hears it, until it is reconnected or boots. */
  async disconnect(host: HostName): Promise<void> {
    this.#disconnected.add(host);
    await this.#apply();
  }

  async reconnect(host: HostName): Promise<void> {
    if (this.#disconnected.delete(host)) await this.#apply();
  }

  /** Everything arrives again. */
  async mend(): Promise<void> {
    this.#cuts.clear();
    this.#disconnected.clear();
    await this.#apply();
  }

  async #apply(): Promise<void> {
    const rules = { forward: '', input: '', output: '' };
    for (const host of this.#disconnected) {
      for (const hook of ['forward', 'input'] as const) rules[hook] += `iifname ${host} drop; `;
      for (const hook of ['forward', 'output'] as const) rules[hook] += `oifname ${host} drop; `;
    }
    for (const cut of this.#cuts) {
      const [from = '', to = ''] = cut.split(' ');
      if (from === 'outside') rules.output += `oifname ${to} drop; `;
      else if (to === 'outside') rules.input += `iifname ${from} drop; `;
      else rules.forward += `iifname ${from} oifname ${to} drop; `;
    }
    const chains = Object.entries(rules).map(
      ([hook, text]) => `chain ${hook} { type filter hook ${hook} priority 0; ${text}};`,
    );
    // In one transaction: there is no moment in between.
    const table = `table bridge cuts; delete table bridge cuts; table bridge cuts { ${chains.join(' ')} };`;
    await this.#outside.run(`nft '${table}'`);
  }
}
