/**
 * The part of a story in which both nodes are primary, each with an application of its own that goes on from the common
 * past; then one is demoted. If both have acknowledged writes that the other lacks, the nodes must refuse each other (I12)
 * until the loser is created anew; if only one has, its data must survive and nobody may speak of split-brain (I13).
 */
import type { Application } from './application.js';
import type { Cluster } from './cluster.js';
import type { SimNode } from './node.js';
import type { Random } from './random.js';

const HOOKS = ['split-brain', 'mismatch'];

export class Split {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #from: 'virgin' | 'in sync';
  readonly #load: (application: Application) => void;
  readonly #left: SimNode;
  readonly #right: SimNode;

  constructor(
    cluster: Cluster,
    random: Random,
    from: 'virgin' | 'in sync',
    load: (application: Application) => void,
  ) {
    this.#cluster = cluster;
    this.#random = random;
    this.#from = from;
    this.#load = load;
    this.#left = cluster.primary;
    this.#right = cluster.secondary;
  }

  /** Nothing was written between `since` and now that is not on both nodes, but what async may not have sent yet. */
  play(since: number, mayLack: number): void {
    const cluster = this.#cluster;
    cluster.say('split');
    cluster.cut();
    const left = cluster.application;
    const right = cluster.split(this.#right);
    const begin = left.history.now;
    const forked = right.history.now;
    this.#separate(left, right, mayLack);
    const rounds = 1 + this.#random.below(4);
    const both = this.#random.chance(1, 2);
    for (let round = 0; round < rounds; round++) {
      if (both || this.#random.chance(1, 2)) this.#load(left);
      if (both || this.#random.chance(1, 2)) this.#load(right);
      cluster.wait(this.#random.below(20_000));
    }
    this.#meet({
      leftAcknowledged: left.lastAcknowledgedIssue >= begin,
      rightAcknowledged: right.lastAcknowledgedIssue >= forked,
      leftWrote: left.lastIssue >= since,
      rightWrote: right.lastIssue >= forked,
    });
  }

  #separate(left: Application, right: Application, mayLack: number): void {
    const cluster = this.#cluster;
    if (this.#from === 'virgin') {
      this.#left.setRole('primary');
    } else {
      if (this.#random.chance(1, 2)) this.#load(left);
      cluster.until(() => !this.#right.hasWorker);
      right.settle(this.#right.userData(), this.#right.name, mayLack);
    }
    this.#right.setRole('primary');
    cluster.wait(5_000);
  }

  #meet(did: {
    readonly leftAcknowledged: boolean;
    readonly rightAcknowledged: boolean;
    readonly leftWrote: boolean;
    readonly rightWrote: boolean;
  }): void {
    const { leftAcknowledged, rightAcknowledged, leftWrote, rightWrote } = did;
    const cluster = this.#cluster;
    const heard = this.#refusals();
    cluster.healLinks();
    cluster.wait(this.#random.below(30_000));
    // A virgin that is primary never takes over the data of a secondary.
    const onlyOne = this.#from === 'virgin' && leftWrote !== rightWrote;
    const keepLeft = onlyOne ? leftWrote : this.#random.chance(1, 2);
    const [winner, loser] = keepLeft ? [this.#left, this.#right] : [this.#right, this.#left];
    cluster.say(`heal links, ${loser.name} is demoted`);
    loser.setRole('secondary');
    cluster.until(() => loser.role === 'secondary' && !loser.hasWorker);
    cluster.primary = winner;
    const ahead = this.#ahead(winner, loser);
    cluster.until(() => this.#refusals() > heard + 1 || cluster.inSync(), 120_000);
    const refused = this.#refusals() > heard + 1;
    if (!refused && !cluster.inSync()) {
      this.#violated('liveness: the nodes neither agree nor refuse each other');
    } else if (refused) {
      if (!leftWrote || !rightWrote) this.#violated('I13: refused, though only one node wrote alone');
      this.#recreate(loser);
      cluster.rejoin(winner);
    } else {
      if (leftAcknowledged && rightAcknowledged) this.#violated('I12: both wrote alone, and nobody noticed');
      if (leftAcknowledged || !rightWrote) cluster.rejoin(leftWrote ? this.#left : ahead);
      else cluster.rejoin(rightAcknowledged || !leftWrote ? this.#right : ahead);
    }
  }

  /** Of two nodes that both issued writes and acknowledged none, the one whose data will survive. */
  #ahead(winner: SimNode, loser: SimNode): SimNode {
    return loser.metadata().localcnt > winner.metadata().remotecnt ? loser : winner;
  }

  /** What an operator does with the node whose data is to be thrown away. */
  #recreate(loser: SimNode): void {
    const cluster = this.#cluster;
    cluster.splits++;
    cluster.say(`${loser.name} is created anew`);
    loser.setRole('init');
    cluster.until(() => loser.role === 'init' && !loser.hasWorker);
    loser.create();
    loser.setRole('secondary');
  }

  #refusals(): number {
    const hooks = [...this.#left.hooks, ...this.#right.hooks];
    return hooks.filter((hook) => HOOKS.some((name) => hook.startsWith(name))).length;
  }

  #violated(text: string): void {
    this.#cluster.application.violations.push(text);
  }
}
