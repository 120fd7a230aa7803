/** Brings a node into the state that a recording starts from. */
import { METADATA_BYTES } from '../../../core/metadata/geometry.js';
import { bytesOfHex } from '../files.js';
import type { Submitted } from './application.js';
import { dataArea } from './content.js';
import type { ReplayNode } from './node.js';
import { Operator } from './operator.js';
import type { NodeState, Operation, Side } from './recording.js';
import { otherSide, type Stage } from './stage.js';

const HISTORY_LIMIT_MS = 120_000;
/** A worker needs it to be able to answer. */
const START_MS = 100;

/**
 * What a node that was just started knows is on its disk: that is written as recorded. What one has in memory that has
 * been working for a while cannot be written: two nodes of ours carry out the history that led there. In any case the
 * other node is dead then.
 */
export function prepare(stage: Stage, side: Side): void {
  const state = stage.stateOf(side);
  if (state.process === 'continued') {
    carryOutHistory(stage);
    stage.nodes[otherSide(side)].kill();
    return;
  }
  const node = stage.nodes[side];
  writeState(node, stage.resourceOf(side), state);
  if (state.process === 'fresh') node.start();
  if (state.role !== null && state.role !== 'init') stage.setRole(side, state.role);
}

function carryOutHistory(stage: Stage): void {
  for (const side of ['primary', 'secondary'] as const) {
    writeState(stage.nodes[side], stage.resourceOf(side), virgin(stage.stateOf(side)));
    stage.nodes[side].start();
  }
  const given: (readonly [Operation, Submitted])[] = [];
  const operator = new Operator(stage, stage.initial.history, {
    submitted: (operation, submitted) => {
      given.push([operation, submitted]);
    },
    recreated: (side) => {
      writeState(stage.nodes[side], stage.resourceOf(side), virgin(stage.stateOf(side)));
    },
  });
  if (!operator.runAll(HISTORY_LIMIT_MS)) throw new Error(`the history stops at ${operator.where}`);
  for (const [{ op, result }, ours] of given) {
    if (ours.result !== result)
      throw new Error(`${op} in the history: ours ${String(ours.result)}, recorded ${String(result)}`);
  }
  stage.scheduler.runFor(START_MS);
}

function virgin(state: NodeState): NodeState {
  const counters = { resuid: '0', localcnt: '0', remotecnt: '0' };
  return { ...state, ...counters, prevrole: 'init', map_hex: null, data: 'zeros' };
}

/** Puts metadata, map and data on the disk; the rest is zeros. */
function writeState(node: ReplayNode, resource: string, state: NodeState): void {
  const { mediasize, offset: localoff, datasize, extentsize, keepdirty, prevrole, map_hex } = state;
  node.write(resource, 0, new Uint8Array(mediasize));
  node.write(resource, METADATA_BYTES, bytesOfHex(map_hex ?? ''));
  node.write(resource, localoff, dataArea(state));
  node.writeMetadata(resource, {
    ...{ datasize, extentsize, keepdirty, localoff, prevrole },
    resuid: BigInt(state.resuid),
    localcnt: BigInt(state.localcnt),
    remotecnt: BigInt(state.remotecnt),
  });
}
