/** Somebody who sees all that judges see, and more, and judges nothing: what tools are made of. A run is the same without. */
import type { LogLevel } from '../../core/ports/log.js';
import type { Checker } from '../checkers/checker.js';
import type { NodeName, Step } from '../script/script.js';
import type { Violation } from './result.js';
import type { World } from './world.js';

export interface Witness extends Checker {
  /** The world is made, and nothing has happened. */
  attend?(world: World): void;
  /** A step is about to be taken. */
  step?(index: number, step: Step): void;
  logged?(node: NodeName, level: LogLevel, text: string): void;
  violated?(violation: Violation): void;
}
