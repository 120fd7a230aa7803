/** Lists of steps with something taken out or changed: what tools that edit histories have in common. */
import type { Action, Expectation, Request, Script, Step, When } from '../script/script.js';

/** What becomes of the time that a removed step took: the next step waits longer, or comes earlier. */
export type RemovedTime = 'kept' | 'dropped';

const AT_ONCE: When = { kind: 'after', ms: 0 };

/** The steps that are not `removed`; time kept after the last one is a step in which nothing happens. */
export function withoutSteps(
  steps: readonly Step[],
  removed: ReadonlySet<number>,
  time: RemovedTime,
): readonly Step[] {
  const kept: Step[] = [];
  let waited = AT_ONCE;
  steps.forEach((step, index) => {
    if (removed.has(index)) {
      if (time === 'kept') waited = together(waited, step.when);
      return;
    }
    kept.push({ when: together(waited, step.when), action: step.action });
    waited = AT_ONCE;
  });
  if (waited.ms > 0) kept.push({ when: waited, action: { kind: 'nothing' } });
  return kept;
}

/** When a step comes that waits for `second` after `first`. */
function together(first: When, second: When): When {
  if (second.kind === 'at') return second;
  // Whole microseconds.
  return { kind: first.kind, ms: Math.round((first.ms + second.ms) * 1000) / 1000 };
}

/** The script with one step changed. */
export function withStep(script: Script, index: number, step: Step): Script {
  return { ...script, steps: script.steps.with(index, step) };
}

export function isRequest(step: Step): boolean {
  return step.action.kind === 'request';
}

/** Blocks that the action names. */
export function blocksOf(action: Action): readonly number[] {
  const blocks: number[] = [];
  mapBlocks(action, (block) => {
    blocks.push(block);
    return block;
  });
  return blocks;
}

/** The action with other block numbers. */
export function mapBlocks(action: Action, other: (block: number) => number): Action {
  switch (action.kind) {
    case 'request':
      return { ...action, request: mapRequest(action.request, other) };
    case 'fail':
      if (action.place.kind !== 'blocks') return action;
      return { ...action, place: { ...action.place, block: other(action.place.block) } };
    case 'corrupt':
      return { ...action, block: other(action.block) };
    case 'misdirect':
      return { ...action, block: other(action.block), to: other(action.to) };
    case 'expect':
      return { ...action, expectation: mapExpectation(action.expectation, other) };
    default:
      return action;
  }
}

function mapRequest(request: Request, other: (block: number) => number): Request {
  return request.kind === 'flush' ? request : { ...request, block: other(request.block) };
}

function mapExpectation(expectation: Expectation, other: (block: number) => number): Expectation {
  if (expectation.kind !== 'block' && expectation.kind !== 'read') return expectation;
  return { ...expectation, block: other(expectation.block) };
}
