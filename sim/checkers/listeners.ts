/**
 * Who cares about what: nobody is told, or asked whether he wants to be told, of what does not concern him. What judges handle
 * are functions without `this`, and are called as such: each judge has a shape of its own, so that looking a method up is slow.
 */
import { assert } from '../../core/base/assert.js';
import type { Checker } from './checker.js';

type Handler = keyof Checker;

export class Listeners {
  readonly #lists = new Map<string, unknown[]>();
  /** Told first; may be a class. */
  readonly #first: Checker | null;

  constructor(judges: readonly Checker[], first: Checker | null) {
    this.#first = first;
    for (const judge of judges) {
      assert(Object.getPrototypeOf(judge) === Object.prototype, 'what a judge handles is its own');
      for (const [handler, handle] of Object.entries(judge)) this.#listOf(handler).push(handle);
    }
  }

  /** What is to be called. */
  to<H extends Handler>(handler: H): readonly NonNullable<Checker[H]>[] {
    return this.#listOf(handler) as readonly NonNullable<Checker[H]>[];
  }

  #listOf(handler: string): unknown[] {
    const known = this.#lists.get(handler);
    if (known !== undefined) return known;
    const list: unknown[] = [];
    const first: unknown = this.#first === null ? undefined : this.#first[handler as Handler];
    if (typeof first === 'function') list.push(first.bind(this.#first));
    this.#lists.set(handler, list);
    return list;
  }
}
