/** Items for the tests of the pool: numbers, some of which end badly. */
import type { Job } from '../../cli/hastsim/pool-memory.js';

export interface Items {
  readonly throws?: number;
  readonly exits?: number;
  readonly hangs?: number;
  readonly lasts?: number;
  readonly opens?: false;
}

export interface ItemReport {
  readonly item: number;
  readonly wentOn: boolean;
}

export function open(items: Items): Promise<Job<ItemReport>> {
  if (items.opens === false) return Promise.reject(new Error('nothing to open'));
  return Promise.resolve((item, report, mayGoOn) => {
    if (item === items.throws) throw new Error('a bad item');
    if (item === items.exits) process.exit(3);
    while (item === items.hangs);
    while (item === items.lasts && mayGoOn());
    report({ item, wentOn: mayGoOn() });
  });
}
