/**
 * What the judges share: every write of the application, and what each copy is required to hold because somebody was promised
 * it. All of it is told from outside: requests and answers, disk images, the events that nodes announce. A block of the
 * device holds the number of the write that wrote it, so one word of an image says which write is there.
 */
import type { Role } from '../../core/resource/types.js';
import type { NodeName } from '../script/script.js';
import { ofNode, otherNode } from '../script/script.js';
import type { ClientRequest } from './checker.js';
import { NodeFacts, type Term, type WriteId, type WriteRecord } from './facts.js';
import type { View } from './view.js';

export class Ledger {
  readonly view: View;
  readonly writes: WriteRecord[] = [];
  readonly facts: Readonly<Record<NodeName, NodeFacts>>;
  /** Order of issues and ends, not a clock. */
  #now = 1;
  readonly #issuedAt: number[] = [0];
  /** Infinity while a write may still take effect. */
  readonly #endedAt: number[] = [0];
  /** By write: the sessions of its node, as counted by `NodeFacts.session`, in which it was issued and ended. */
  readonly #firstSession: number[] = [0];
  readonly #lastSession: number[] = [0];
  /** Deletes that may still take effect; their value on disk is zero. */
  #openDeletes: WriteRecord[] = [];
  /** Per block: of the deletes that were issued to the device of a node, the one that ended last. */
  readonly #lastDelete: Readonly<Record<NodeName, Int32Array>>;

  constructor(view: View) {
    this.view = view;
    this.#lastDelete = { a: new Int32Array(view.blocks), b: new Int32Array(view.blocks) };
    this.facts = { a: new NodeFacts(view.blocks), b: new NodeFacts(view.blocks) };
  }

  get now(): number {
    return this.#now;
  }

  issuedAt(id: WriteId): number {
    return this.#issuedAt[id] ?? 0;
  }

  endedAt(id: WriteId): number {
    return this.#endedAt[id] ?? 0;
  }

  /**
   * The write whose value `word` stands in the block; -1 for something that nobody ever wrote there. Zeros are taken for
   * the delete that ends last, of the device of `by` if that is given.
   */
  writeOf(word: number, block: number, by: NodeName | null = null): WriteId {
    if (word === 0) {
      for (const { id, node, block: first, count } of this.#openDeletes) {
        if (block >= first && block < first + count && (by === null || by === node)) return id;
      }
      if (by !== null) return ofNode(this.#lastDelete, by)[block] ?? 0;
      const a = this.#lastDelete.a[block] ?? 0;
      const b = this.#lastDelete.b[block] ?? 0;
      return this.endedAt(a) > this.endedAt(b) ? a : b;
    }
    const write = this.writes[word - 1];
    if (write === undefined || block < write.block || block >= write.block + write.count) return -1;
    return write.id;
  }

  /** True if `id` had ended before `than` was issued: it cannot be what is found after `than`. */
  isOlder(id: WriteId, than: WriteId): boolean {
    return id !== than && this.endedAt(id) <= this.issuedAt(than) && than !== 0;
  }

  /** The block of a copy holds something older than `than`. */
  lacks(node: NodeName, block: number, than: WriteId): boolean {
    return than !== 0 && this.isOlder(this.writeOf(this.view.visible(node, block), block), than);
  }

  /**
   * The block of a copy holds `than`, or what was issued after it. Stricter than not lacking it: a write that was issued
   * before may still be about to be overwritten, and zeros, which may be from any delete, tell of `than` only if that was one.
   */
  holds(node: NodeName, block: number, than: WriteId): boolean {
    const word = this.view.visible(node, block);
    if (word === 0) return than === 0 || this.writes[than - 1]?.isDelete === true;
    return this.issuedAt(this.writeOf(word, block)) >= this.issuedAt(than);
  }

  lacksDurably(node: NodeName, block: number, than: WriteId): boolean {
    return than !== 0 && this.isOlder(this.writeOf(this.view.durable(node, block), block), than);
  }

  /** Nothing was written to the block on either copy since they were created: what they hold is anything. */
  isUnused(block: number): boolean {
    return this.facts.a.isWritten[block] === 0 && this.facts.b.isWritten[block] === 0;
  }

  /** The copy lacks nothing of what the other one must hold. */
  hasAll(node: NodeName): boolean {
    const { required } = ofNode(this.facts, otherNode(node));
    return required.every((id, block) => !this.lacks(node, block, id));
  }

  /** The application issues a write; its number is the value to be written. */
  issue(node: NodeName, block: number, count: number, isDelete: boolean): WriteId {
    const id = this.writes.length + 1;
    const facts = ofNode(this.facts, node);
    const session = this.sessionOf(node);
    const issuedMs = this.view.nowMs();
    const write = { id, node, block, count, isDelete, term: facts.term, session, issuedMs };
    this.writes.push(write);
    this.#issuedAt.push(this.#now++);
    this.#endedAt.push(Infinity);
    this.#firstSession.push(facts.session);
    this.#lastSession.push(Infinity);
    if (isDelete) this.#openDeletes.push(write);
    if (!facts.connected && facts.lone === 'no') facts.lone = 'maybe';
    return id;
  }

  /** The answer has arrived, or none ever will: it takes no effect from now on that was not under way. */
  end(id: WriteId): void {
    this.#endedAt[id] = this.#now++;
    const write = this.writes[id - 1];
    if (write === undefined) return;
    this.#lastSession[id] = ofNode(this.facts, write.node).session;
    if (!write.isDelete) return;
    this.#openDeletes = this.#openDeletes.filter((open) => open !== write);
    this.#lastDelete[write.node].fill(id, write.block, write.block + write.count);
  }

  /** The write may have been sent to the other node in this session of `node`. */
  belongsTo(id: WriteId, node: NodeName, session: number): boolean {
    if (this.writes[id - 1]?.node !== node) return false;
    return (this.#firstSession[id] ?? 0) <= session && session <= (this.#lastSession[id] ?? 0);
  }

  workerStarted(node: NodeName, role: Role): void {
    const facts = ofNode(this.facts, node);
    facts.worker = facts.workers++ === 0 ? role : null;
    facts.greeted = facts.attached = false;
  }

  workerEnded(node: NodeName): void {
    const facts = ofNode(this.facts, node);
    facts.workers--;
    facts.worker = null;
    facts.greeted = facts.attached = false;
  }

  /** Time passes for whoever compares with `now`. */
  tick(): number {
    return this.#now++;
  }

  /** The session in which `node` would replicate a request now, or null. */
  sessionOf(node: NodeName): number | null {
    const { connected, session } = ofNode(this.facts, node);
    return connected ? session : null;
  }

  /**
   * The request was issued in the session that its node still has, to a peer that has lost nothing since. What took longer than
   * a peer is waited for has outlived its session: a worker that stops gives it up without a word.
   */
  isShared({ node, session, issuedMs }: ClientRequest): boolean {
    if (session === null || session !== this.sessionOf(node) || !ofNode(this.facts, node).intact)
      return false;
    return this.view.nowMs() - issuedMs < this.view.setup.timeout * 1000;
  }

  /**
   * A write was answered with success, while its node had the session `answeredIn` (its end is recorded already).
   * `received`: the other node has it at least in memory.
   */
  acknowledged(id: WriteId, answeredIn: number | null, received: boolean): void {
    const write = this.writes[id - 1];
    if (write === undefined) return;
    const mine = ofNode(this.facts, write.node);
    const other = otherNode(write.node);
    const theirs = ofNode(this.facts, other);
    let lacking = false;
    for (let block = write.block; block < write.block + write.count; block++) {
      this.#raise(mine.required, block, id);
      const floor = write.term?.floor;
      if (floor !== undefined) floor[block] = Math.max(floor[block] ?? 0, this.issuedAt(id));
      if (mine.connected && this.holds(other, block, id)) this.#raise(theirs.required, block, id);
      else if (!this.holds(other, block, id)) lacking = true;
    }
    if (!lacking) return;
    if (answeredIn === null) {
      // The other node had it when it answered, and lost it with its power: the bits tell of that, not the counters.
      if (theirs.powerLostMs < write.issuedMs) mine.lone = 'acknowledged';
      else if (mine.lone === 'no') mine.lone = 'maybe';
      // A synchronisation from the other node was complete, and its session ended before anybody could tell.
      if (mine.behind && this.hasAll(write.node)) {
        mine.behind = mine.mixed = false;
        theirs.lone = 'no';
      }
    } else {
      mine.unconfirmed.push(id);
      if (received) theirs.owed.push(id);
    }
  }

  /** User data is written to the copy. */
  dataWritten(node: NodeName, block: number, count: number): void {
    const facts = ofNode(this.facts, node);
    facts.isWritten.fill(1, block, block + count);
    if (facts.lagging) facts.mixed = true;
  }

  /** A device appeared: what it holds from now on is what its copy holds, or the other one's if they are connected. */
  beginTerm(node: NodeName, forced: boolean): void {
    const { blocks } = this.view;
    const mine = ofNode(this.facts, node);
    const other = otherNode(node);
    if (forced) {
      // What a copy that was created anew held before is nobody's, forced or not.
      const isNew = this.view.metadata(node)?.resuid === 0n;
      for (let block = 0; block < blocks; block++) {
        const found = isNew ? 0 : this.writeOf(this.view.visible(node, block), block);
        mine.required[block] = Math.max(found, 0);
      }
      mine.behind = mine.lagging = mine.mixed = false;
    }
    // Whoever has missed something, but was not written by a synchronisation, may go on alone: a fork of the history.
    if (!mine.connected && !mine.mixed) mine.behind = false;
    const theirs = ofNode(this.facts, other);
    // Whatever the other one has promised alone has been copied, even if it has never been told that the copy is complete.
    if (theirs.lone === 'acknowledged' && this.#holdsAll(node, theirs.required)) theirs.lone = 'maybe';
    const truth = mine.connected && mine.behind ? theirs : mine;
    const must = truth.required.slice();
    const base: [Int32Array, Int32Array] = [this.#image(node), new Int32Array(blocks).fill(-1)];
    if (mine.connected) base[1].set(this.#image(other));
    mine.term = { node, floor: new Float64Array(blocks), must, base, rebasedMs: -Infinity };
  }

  #holdsAll(node: NodeName, required: Int32Array): boolean {
    return required.every((id, block) => !this.lacks(node, block, id));
  }

  /** The device is gone; requests without an answer have been ended before. */
  endTerm(node: NodeName): void {
    ofNode(this.facts, node).term = null;
  }

  /** The primary `node` has installed a session. Who has the newest data follows from who acknowledged what alone. */
  connect(node: NodeName): void {
    const mine = ofNode(this.facts, node);
    const other = otherNode(node);
    const theirs = ofNode(this.facts, other);
    mine.connected = mine.intact = true;
    mine.session++;
    theirs.attached = theirs.greeted;
    theirs.connected = theirs.intact = false;
    mine.unconfirmed = [];
    theirs.owed = [];
    if (this.#isBehind(node)) mine.behind = true;
    else if (mine.lone === 'acknowledged') theirs.behind = true;
    const source = mine.behind ? theirs : mine;
    const target = mine.behind ? mine : theirs;
    target.mixed ||= mine.behind;
    source.lagging = target.lagging = false;
    for (let block = 0; block < this.view.blocks; block++) {
      target.lagging ||= this.lacks(target === mine ? node : other, block, source.required[block] ?? 0);
      this.#lower(target.required, block, source.required[block] ?? 0);
      this.#lower(target.durable, block, source.durable[block] ?? 0);
    }
    const { term } = mine;
    if (term === null) return;
    const [own, others] = term.base;
    for (let block = 0; block < this.view.blocks; block++) {
      // What an earlier session has brought is this copy's.
      const here = this.view.visible(node, block);
      if (here === others[block]) own[block] = here;
      others[block] = this.view.visible(other, block);
    }
    if (!mine.behind) return;
    // A primary that did not know that it was behind: what the application sees from now on is the other node's data.
    this.#rebase(term, theirs.required);
  }

  /** The next worker of `node` takes its device over: meanwhile the other node may have been primary. */
  takeOver(node: NodeName): void {
    const { term, required } = ofNode(this.facts, node);
    if (term === null) return;
    term.base[0].set(this.#image(node));
    this.#rebase(term, required);
  }

  #rebase(term: Term, must: Int32Array): void {
    term.rebasedMs = this.view.nowMs();
    term.must.set(must);
    term.floor.fill(0);
  }

  /** Where nobody was promised anything alone, the counters decide, as they will for the nodes. */
  #isBehind(node: NodeName): boolean {
    const other = otherNode(node);
    const [mine, theirs] = [ofNode(this.facts, node), ofNode(this.facts, other)];
    if (theirs.lone === 'acknowledged' || mine.lone === 'acknowledged') return mine.lone !== 'acknowledged';
    if (mine.behind) return true;
    const [ours, others] = [this.view.durableMetadata(node), this.view.durableMetadata(other)];
    return ours !== null && others !== null && others.localcnt > ours.remotecnt;
  }

  /** The primary `node` has no session any more, and lives on. */
  disconnect(node: NodeName): void {
    const mine = ofNode(this.facts, node);
    if (!mine.connected) return;
    mine.connected = mine.intact = mine.lagging = false;
    if (mine.lone === 'no') mine.lone = 'maybe';
    this.confirm(node);
  }

  /** Forgets what has arrived on the other copy. */
  confirm(node: NodeName): void {
    const facts = ofNode(this.facts, node);
    const other = otherNode(node);
    const theirs = ofNode(this.facts, other);
    facts.unconfirmed = facts.unconfirmed.filter((id) => !this.#arrived(id, other, theirs.required));
  }

  /** memsync: what `node` has received must be on its copy, now that it has ended in order. */
  drained(node: NodeName): void {
    const facts = ofNode(this.facts, node);
    for (const id of facts.owed) this.#arrived(id, node, facts.required);
    facts.owed = [];
  }

  #arrived(id: WriteId, node: NodeName, required: Int32Array): boolean {
    const write = this.writes[id - 1];
    if (write === undefined) return true;
    for (let block = write.block; block < write.block + write.count; block++) {
      if (!this.holds(node, block, id)) return false;
    }
    for (let block = write.block; block < write.block + write.count; block++) {
      this.#raise(required, block, id);
    }
    return true;
  }

  /** What a FLUSH that `node` issues now makes durable on each copy. */
  flushCovers(node: NodeName): Record<NodeName, Int32Array> {
    const covers = { a: this.facts.a.required.slice(), b: this.facts.b.required.slice() };
    for (const id of ofNode(this.facts, node).unconfirmed) {
      const write = this.writes[id - 1];
      if (write === undefined || write.session !== this.sessionOf(node)) continue;
      // A disk that cannot delete gets the range copied, and until then a bit says what it lacks.
      if (write.isDelete && this.view.diskWasBad(otherNode(node))) continue;
      for (let block = write.block; block < write.block + write.count; block++) {
        this.#raise(covers[otherNode(node)], block, id);
      }
    }
    return covers;
  }

  /** A FLUSH has been acknowledged; `together`: by both nodes. */
  flushed(node: NodeName, covers: Readonly<Record<NodeName, Int32Array>>, together: boolean): void {
    const other = otherNode(node);
    // Issued before it turned out that this copy is out of date: what it covered is given up.
    if (ofNode(this.facts, node).behind && !together) return;
    this.#raiseAll(ofNode(this.facts, node).durable, covers[node]);
    if (!together) return;
    this.#raiseAll(ofNode(this.facts, other).durable, covers[other]);
    this.#raiseAll(ofNode(this.facts, other).required, covers[other]);
  }

  /** The copies are equal, says the primary `node`: whatever was promised holds for both. */
  agreed(node: NodeName): void {
    const mine = ofNode(this.facts, node);
    const other = otherNode(node);
    const theirs = ofNode(this.facts, other);
    for (let block = 0; block < this.view.blocks; block++) {
      const must = mine.behind ? (theirs.required[block] ?? 0) : (mine.required[block] ?? 0);
      this.#raise(mine.required, block, must);
      if (this.holds(other, block, must)) this.#raise(theirs.required, block, must);
    }
    for (const facts of [mine, theirs]) {
      facts.lone = 'no';
      facts.behind = facts.lagging = facts.mixed = false;
    }
    this.confirm(node);
  }

  /** The machine has lost what was not flushed; nobody was promised that. */
  lostPower(node: NodeName): void {
    const facts = ofNode(this.facts, node);
    for (let block = 0; block < this.view.blocks; block++) {
      if (this.lacks(node, block, facts.required[block] ?? 0)) {
        facts.required[block] = facts.durable[block] ?? 0;
      }
    }
    facts.owed = [];
    facts.powerLostMs = this.view.nowMs();
    ofNode(this.facts, otherNode(node)).intact = false;
  }

  /** `hastctl create`: nobody expects anything of this copy any more. */
  created(node: NodeName): void {
    const facts = ofNode(this.facts, node);
    facts.required.fill(0);
    facts.durable.fill(0);
    facts.isWritten.fill(0);
    facts.lone = 'no';
    facts.behind = facts.lagging = facts.mixed = facts.connected = facts.intact = false;
    facts.unconfirmed = [];
    facts.owed = [];
  }

  /** A READ has returned this: later ones may not go back behind it. */
  observed(term: Term, block: number, word: number): void {
    const id = this.writeOf(word, block, term.node);
    if (this.writes[id - 1]?.term === term) {
      // Zeros may be those of an earlier delete: they tell of none.
      if (word === 0) return;
      term.floor[block] = Math.max(term.floor[block] ?? 0, this.issuedAt(id));
    } else {
      term.base[0][block] = term.base[1][block] = word;
    }
  }

  #image(node: NodeName): Int32Array {
    const image = new Int32Array(this.view.blocks);
    for (let block = 0; block < image.length; block++) {
      image[block] = this.view.visible(node, block);
    }
    return image;
  }

  #raiseAll(target: Int32Array, source: Int32Array): void {
    for (let block = 0; block < target.length; block++) this.#raise(target, block, source[block] ?? 0);
  }

  #raise(target: Int32Array, block: number, id: WriteId): void {
    if (this.issuedAt(id) > this.issuedAt(target[block] ?? 0)) target[block] = id;
  }

  #lower(target: Int32Array, block: number, id: WriteId): void {
    if (this.issuedAt(id) < this.issuedAt(target[block] ?? 0)) target[block] = id;
  }
}
