/** Notes in which events of a run something reached a disk or the wire: between them, nothing happens that anybody could see. */
import type { Channel } from '../channel.js';
import type { Connection } from '../connection.js';
import type { LanObserver } from '../lan.js';
import type { NodeName } from '../script/script.js';
import type { Witness } from '../world/witness.js';
import type { World } from '../world/world.js';

const METADATA_BYTES = 4096;

/** What can be seen of an event from outside. */
export class EventNote {
  /** Counted from 1: what `scheduler.events` is when it happens. */
  readonly event: number;
  /** In words. */
  readonly texts = new Set<string>();
  /** Whose disk or wire it was. */
  readonly nodes = new Set<NodeName>();
  /** Who sent something to the other. */
  readonly senders = new Set<NodeName>();
  /** On whose disk a write, or a flush, was done. */
  readonly writers = new Set<NodeName>();
  readonly flushers = new Set<NodeName>();

  constructor(event: number) {
    this.event = event;
  }
}

export class EventWatch implements Witness, LanObserver {
  /** In the order of time. */
  readonly notes: EventNote[] = [];
  /** How many events had happened when it ended. */
  endEvents = Infinity;
  readonly #firstStep: number;
  readonly #endStep: number;
  #world: World | null = null;
  #isOn = false;

  /** Notes what happens from one step on, up to another; both are indexes. */
  constructor(firstStep: number, endStep: number) {
    this.#firstStep = firstStep;
    this.#endStep = endStep;
  }

  attend(world: World): void {
    this.#world = world;
    world.lan.observer = this;
  }

  step(index: number): void {
    this.#isOn = index >= this.#firstStep && index < this.#endStep;
    if (index === this.#endStep) this.endEvents = this.#world?.scheduler.events ?? 0;
  }

  diskWritten(node: NodeName, offset: number, _length: number): void {
    const dataOffset = this.#world?.view.dataOffset ?? 0;
    const what = offset >= dataOffset ? 'data' : offset >= METADATA_BYTES ? 'map' : 'metadata';
    this.#note(node, `${what} on disk ${node}`)?.writers.add(node);
  }

  diskFlushed(node: NodeName): void {
    this.#note(node, `flush of disk ${node}`)?.flushers.add(node);
  }

  opened({ ends }: Connection): void {
    this.#wire(ends.to.name, ends.from.name, 'a connection');
  }

  refused({ ends }: Connection): void {
    this.#wire(ends.to.name, ends.from.name, 'a refusal');
  }

  closed(_connection: Connection): void {
    // Both ends have been heard of.
  }

  sent({ link }: Channel, _bytes: Uint8Array): void {
    const { from, to } = link;
    const note = this.#wire(from.name, to.name, `message of ${from.name}`);
    if (isNode(from.name)) note?.senders.add(from.name);
  }

  delivered({ link }: Channel, _bytes: number): void {
    const { from, to } = link;
    this.#wire(to.name, from.name, `message to ${to.name}`);
  }

  /** Something of `name` concerns the other node. */
  #wire(name: string, other: string, text: string): EventNote | null {
    return isNode(name) && isNode(other) && name !== other ? this.#note(name, text) : null;
  }

  #note(node: NodeName, text: string): EventNote | null {
    if (this.#world === null || !this.#isOn) return null;
    const { events } = this.#world.scheduler;
    let note = this.notes.at(-1);
    if (note?.event !== events) {
      note = new EventNote(events);
      this.notes.push(note);
    }
    note.texts.add(text);
    note.nodes.add(node);
    return note;
  }
}

function isNode(name: string): name is NodeName {
  return name === 'a' || name === 'b';
}
