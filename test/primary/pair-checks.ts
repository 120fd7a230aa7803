import { viewOf } from '../../core/base/bytes.js';
import type { SimNode } from '../../sim/node.js';
import { SECTOR, type Pair } from './pair.js';

/** The value that the application's writes left in a sector of a copy. */
export function valueOf(node: SimNode, sector: number): number {
  return viewOf(node.userData()).getUint32(sector * SECTOR, true);
}

/** What the application saw so far, and what it would find on the copies named. */
export function violationsOf(pair: Pair, ...copies: SimNode[]): readonly string[] {
  for (const node of copies) pair.app.checkImage(node.userData(), node.name);
  return pair.app.violations;
}
