/** Who cares about what: nobody is told, or asked whether he wants to be told, of what does not concern him. */
import { assert } from '../../core/base/assert.js';
import type { Checker } from './checker.js';

type Handler = keyof Checker;
type Having<H extends Handler> = Checker & Required<Pick<Checker, H>>;

export class Listeners {
  readonly #lists = new Map<string, unknown[]>();
  /** Told first; may be a class. */
  readonly #first: Checker | null;

  constructor(judges: readonly Checker[], first: Checker | null) {
    this.#first = first;
    for (const judge of judges) {
      assert(Object.getPrototypeOf(judge) === Object.prototype, 'what a judge handles is its own');
      for (const handler of Object.keys(judge)) this.#listOf(handler).push(judge);
    }
  }

  /** Those that have the handler. */
  to<H extends Handler>(handler: H): readonly Having<H>[] {
    return this.#listOf(handler) as readonly Having<H>[];
  }

  #listOf(handler: string): unknown[] {
    const known = this.#lists.get(handler);
    if (known !== undefined) return known;
    const list: unknown[] = [];
    if (this.#first !== null && handler in this.#first) list.push(this.#first);
    this.#lists.set(handler, list);
    return list;
  }
}
