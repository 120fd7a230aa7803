/** All judges at one table: whatever happens is told to those who care, then written into the ledger. */
import type { ResourceEvent, Role } from '../../core/resource/types.js';
import { BLOCK_BYTES, otherNode, type NodeName } from '../script/script.js';
import type { Violation } from '../world/result.js';
import type { Witness } from '../world/witness.js';
import type { ClientRequest, Report } from './checker.js';
import { CHECKERS } from './checkers.js';
import { Ledger } from './ledger.js';
import { Listeners } from './listeners.js';
import { Origins } from './origins.js';
import type { View } from './view.js';

/** More of them would say nothing new. */
const MAX_VIOLATIONS = 20;

export class Judges {
  readonly ledger: Ledger;
  readonly violations: Violation[] = [];
  readonly #view: View;
  readonly #origins: Origins;
  readonly #step: () => number;
  readonly #witness: Witness | null;
  readonly #listeners: Listeners;
  /** Of what happens all the time. */
  readonly #to: ReturnType<typeof frequent>;
  #agreed = false;

  /** `witness` is told first. */
  constructor(view: View, step: () => number, witness: Witness | null = null) {
    this.#view = view;
    this.#step = step;
    this.#witness = witness;
    this.ledger = new Ledger(view);
    this.#origins = new Origins(view, this.ledger);
    const { ledger } = this;
    const judges = CHECKERS.map(({ invariant, sit }) =>
      sit({ view, ledger, origins: this.#origins, report: this.reporter(invariant) }),
    );
    this.#listeners = new Listeners(judges, witness);
    this.#to = frequent(this.#listeners);
  }

  reporter(invariant: string): Report {
    return (text, block) => {
      if (this.violations.length >= MAX_VIOLATIONS) return;
      const atMs = this.#view.nowMs();
      const violation = { invariant, text, atMs, step: this.#step(), block: block ?? null };
      this.violations.push(violation);
      this.#witness?.violated?.(violation);
    };
  }

  issued(request: ClientRequest): void {
    for (const tell of this.#to.issued) tell(request);
  }

  /** The end of a write is in the ledger already. */
  answered(request: ClientRequest): void {
    for (const tell of this.#to.answered) tell(request);
    if (request.error !== null) return;
    const together = this.ledger.isShared(request);
    if (request.write !== 0) {
      const { node, write, answeredIn } = request;
      const memsync = this.#view.mode(node) === 'memsync' && this.#view.modeSettled(node);
      // A worker that was killed has had it, too, and owes nothing.
      const received = together && memsync && this.ledger.facts[otherNode(node)].attached;
      this.ledger.acknowledged(write, answeredIn, received);
    } else if (request.covers !== null) {
      this.ledger.flushed(request.node, request.covers, together);
    }
  }

  deviceAppeared(node: NodeName, forced: boolean): void {
    for (const tell of this.#listeners.to('deviceAppeared')) tell(node, forced);
    this.ledger.beginTerm(node, forced);
  }

  deviceVanished(node: NodeName): void {
    for (const tell of this.#listeners.to('deviceVanished')) tell(node);
    this.ledger.endTerm(node);
  }

  diskWriteStarted(node: NodeName, offset: number, length: number, source: Uint8Array | null): void {
    this.#origins.look(node, offset, length, source);
    for (const tell of this.#to.diskWriteStarted) tell(node, offset, length, source);
    if (offset >= this.#view.dataOffset) {
      const block = (offset - this.#view.dataOffset) / BLOCK_BYTES;
      this.ledger.dataWritten(node, block, length / BLOCK_BYTES);
    }
  }

  diskWritten(node: NodeName, offset: number, length: number): void {
    for (const tell of this.#to.diskWritten) tell(node, offset, length);
    if (offset < METADATA_BYTES) this.#compareCounters();
  }

  diskWriteEnded(node: NodeName, offset: number, length: number): void {
    for (const tell of this.#to.diskWriteEnded) tell(node, offset, length);
  }

  diskFlushed(node: NodeName): void {
    for (const tell of this.#to.diskFlushed) tell(node);
    this.#compareCounters();
  }

  powerLost(node: NodeName): void {
    for (const tell of this.#listeners.to('powerLost')) tell(node);
    this.ledger.lostPower(node);
    this.#compareCounters();
  }

  event(node: NodeName, role: Role, event: ResourceEvent): void {
    for (const tell of this.#listeners.to('event')) tell(node, role, event);
    if (role !== 'primary') {
      if (event === 'connect') this.ledger.facts[node].greeted = true;
      return;
    }
    if (event === 'connect') {
      this.ledger.connect(node);
      this.#agreed = this.#countersAgree(node);
      // Nothing is to be copied, and nobody will say so.
      if (this.#agreed && this.#view.status(node)?.dirty === 0) this.#agree(node);
    } else if (event === 'disconnect') this.ledger.disconnect(node);
    else if (event === 'syncdone') this.#agree(node);
  }

  hook(node: NodeName, args: readonly string[]): void {
    for (const tell of this.#listeners.to('hook')) tell(node, args);
  }

  roleOrdered(node: NodeName, from: Role, to: Role): void {
    for (const tell of this.#listeners.to('roleOrdered')) tell(node, from, to);
  }

  workerStarted(node: NodeName, role: Role): void {
    if (role === 'primary') this.ledger.takeOver(node);
    for (const tell of this.#listeners.to('workerStarted')) tell(node, role);
    this.ledger.workerStarted(node, role);
  }

  /** `begun`: it got as far as having a session; if not, the session of an orphan is not over. */
  workerEnded(node: NodeName, role: Role, orderly: boolean, begun = true): void {
    for (const tell of this.#listeners.to('workerEnded')) tell(node, orderly, role);
    this.ledger.workerEnded(node);
    const { facts } = this.ledger;
    if (!begun && facts[node].workers > 0) return;
    facts[node].lagging = false;
    if (role === 'primary') {
      // A worker that stops gives up a peer that does not answer, without a word.
      const gaveUp = facts[node].connected && orderly && !this.ledger.hasAll(otherNode(node));
      if (gaveUp && facts[node].lone === 'no') facts[node].lone = 'maybe';
      facts[node].connected = facts[node].intact = false;
    } else {
      if (orderly) this.ledger.drained(node);
      else facts[node].owed = [];
      this.#settleSuspects(otherNode(node));
    }
  }

  created(node: NodeName): void {
    for (const tell of this.#listeners.to('created')) tell(node);
    this.ledger.created(node);
    this.#compareCounters();
  }

  quiet(primary: NodeName): void {
    for (const tell of this.#listeners.to('quiet')) tell(primary);
    this.ledger.agreed(primary);
  }

  healed(): void {
    for (const tell of this.#listeners.to('healed')) tell();
  }

  passed(): void {
    for (const tell of this.#to.passed) tell();
  }

  ended(): void {
    for (const tell of this.#listeners.to('ended')) tell();
  }

  /** Writes that a primary acknowledged in a session that is over, and that the other node has not received (W4). */
  #settleSuspects(node: NodeName): void {
    const facts = this.ledger.facts[node];
    if (facts.connected || facts.unconfirmed.length === 0) return;
    this.ledger.confirm(node);
  }

  /** A primary that makes the counters agree claims, for every handshake to come, that the copies are equal. */
  #compareCounters(): void {
    const primary = this.#primary();
    if (primary === null) return;
    const agreed = this.#countersAgree(primary);
    const before = this.#agreed;
    this.#agreed = agreed;
    if (agreed && !before) this.#agree(primary);
  }

  #countersAgree(primary: NodeName): boolean {
    const [ours, theirs] = [this.#view.metadata(primary), this.#view.metadata(otherNode(primary))];
    if (ours === null || theirs === null || ours.resuid === 0n) return false;
    const sameResource = ours.resuid === theirs.resuid;
    return sameResource && ours.localcnt === theirs.remotecnt && ours.remotecnt === theirs.localcnt;
  }

  #agree(primary: NodeName): void {
    for (const tell of this.#listeners.to('agreed')) tell(primary);
    this.ledger.agreed(primary);
  }

  #primary(): NodeName | null {
    const { a, b } = this.ledger.facts;
    if (a.connected) return 'a';
    return b.connected ? 'b' : null;
  }
}

const METADATA_BYTES = 4096;

function frequent(listeners: Listeners) {
  return {
    issued: listeners.to('issued'),
    answered: listeners.to('answered'),
    diskWriteStarted: listeners.to('diskWriteStarted'),
    diskWritten: listeners.to('diskWritten'),
    diskWriteEnded: listeners.to('diskWriteEnded'),
    diskFlushed: listeners.to('diskFlushed'),
    passed: listeners.to('passed'),
  };
}
