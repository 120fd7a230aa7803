/**
 * For how long nothing has been wrong, and what is wrong now: whoever judges how long things take needs to know. Links, disks and
 * processes are looked at now and then, and whatever a script does is told.
 */
import { otherNode, type Action, type NodeName } from '../script/script.js';
import type { World } from './world.js';

const NODES = ['a', 'b'] as const;
/** What a script does to the network. */
const NETWORK: ReadonlySet<Action['kind']> = new Set([
  ...(['cut', 'cut-after', 'cut-channel', 'mend', 'mend-channel', 'reset', 'refuse', 'move'] as const),
  ...(['latency', 'bandwidth', 'spikes', 'batch', 'fragment', 'delay-close', 'heal', 'settle'] as const),
]);
/** To both nodes. */
const BOTH: ReadonlySet<Action['kind']> = new Set(['move', 'heal', 'settle'] as const);
/** To one of them. */
const NODE: ReadonlySet<Action['kind']> = new Set([
  ...([
    'create',
    'start',
    'stop',
    'role',
    'reload',
    'kill',
    'pause',
    'power',
    'fail',
    'slow',
    'stick',
  ] as const),
  ...(['lie', 'corrupt', 'misdirect', 'shorten', 'restore', 'repair'] as const),
]);

export class Weather {
  readonly #world: World;
  readonly #nodeAtMs: Record<NodeName, number> = { a: 0, b: 0 };
  #linksAtMs = 0;
  #slowAtMs = -Infinity;
  /** By the node that hears nothing. */
  readonly #deafSinceMs: Record<NodeName, number> = { a: Infinity, b: Infinity };

  constructor(world: World) {
    this.#world = world;
  }

  /** For how long nothing has been wrong with the disk and the processes of the node, and nobody has done anything to it. */
  nodeCalmMs(node: NodeName): number {
    return this.#world.scheduler.nowMs - this.#nodeAtMs[node];
  }

  /** For how long nothing has been wrong with the network. */
  linksCalmMs(): number {
    return this.#world.scheduler.nowMs - this.#linksAtMs;
  }

  /** When something was last on a slow link. */
  get slowAtMs(): number {
    return this.#slowAtMs;
  }

  /** For how long nothing that the other node sends can have arrived at this one; 0: it can. */
  deafMs(node: NodeName): number {
    return Math.max(0, this.#world.scheduler.nowMs - this.#deafSinceMs[node]);
  }

  /** Something was done to a node. */
  touched(node: NodeName): void {
    this.#nodeAtMs[node] = this.#world.scheduler.nowMs;
  }

  acted(action: Action): void {
    const { kind } = action;
    if (kind === 'request') return;
    if (NETWORK.has(kind)) {
      this.look();
      this.#linksAtMs = this.#world.scheduler.nowMs;
    }
    if (!NODE.has(kind) && !BOTH.has(kind)) return;
    const node = 'node' in action && !BOTH.has(kind) ? action.node : null;
    for (const name of NODES) if (node === null || node === name) this.touched(name);
  }

  look(): void {
    const { lan, nodes, scheduler } = this.#world;
    const { nowMs } = scheduler;
    if (!lan.isUsual) this.#linksAtMs = nowMs;
    for (const to of NODES) {
      const from = otherNode(to);
      const { machine, medium } = nodes[to];
      if (machine.isPaused || medium.isFaultyAt(nowMs)) this.#nodeAtMs[to] = nowMs;
      const link = lan.link(from, to);
      if (link.isSlow) this.#slowAtMs = nowMs;
      const isDeaf = link.isCut || !lan.host(from).up;
      this.#deafSinceMs[to] = isDeaf ? Math.min(this.#deafSinceMs[to], nowMs) : Infinity;
    }
  }
}
