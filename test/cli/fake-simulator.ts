/**
 * A simulator without a world, for tests of the commands: a script is ten writes, and it fails when one of them goes to
 * block 7, as it does in the seeds that end with 7. Some seeds are worse.
 */
import type { Simulator, SimulatorChoice } from '../../cli/hastsim/simulator-port.js';
import { DEFAULT_SETUP } from '../../sim/script/script.js';
import type { Script, Step } from '../../sim/script/script.js';
import type { RunResult, Violation } from '../../sim/world/result.js';

/** Is not survived. */
export const DEADLY_SEED = 3013;
/** Fails the first time only. */
export const FICKLE_SEED = 1007;

/** Depends on the engine. */
export const UNSTABLE_SEED = 2006;
/** Depends on what was run before it. */
export const INFECTED_SEED = 2015;

export const FAKE_SIMULATOR = import.meta.url;

export function openSimulator(_: SimulatorChoice): Promise<Simulator> {
  let fickle = true;
  let runs = 0;
  return Promise.resolve({
    cores: {},
    generate,
    played: (script) => script,
    run(script, trace) {
      if (script.setup.seed === DEADLY_SEED) throw new Error('boom');
      const isFickle = script.setup.seed === FICKLE_SEED;
      const violations = isFickle && !fickle ? [] : violationsOf(script);
      if (isFickle) fickle = false;
      const { seed } = script.setup;
      const flavour = seed === UNSTABLE_SEED ? process.execArgv.includes('--no-opt') : false;
      const infection = seed === INFECTED_SEED ? runs : 0;
      runs++;
      script.steps.forEach((_step, index) =>
        trace?.(`${String(index)}.000 step${index === 4 ? ` ${String(flavour)}` : ''}`),
      );
      return result(script, violations, Number(flavour) + infection);
    },
  });
}

function generate(seed: number): Script {
  const steps = [...Array(10).keys()].map((block): Step => ({
    when: { kind: 'after', ms: 0 },
    action: {
      kind: 'request',
      node: null,
      request: { kind: 'write', block: block < 7 || seed % 10 === 7 ? block : 0, count: 1, label: null },
    },
  }));
  return { setup: { ...DEFAULT_SETUP, seed }, steps };
}

function violationsOf(script: Script): Violation[] {
  return script.steps.flatMap(({ action }, step) => {
    if (action.kind !== 'request' || action.request.kind !== 'write' || action.request.block !== 7) return [];
    return [{ invariant: 'I8', text: 'no bit\nfor block 7', atMs: 1500, step, block: 7 }];
  });
}

function result(script: Script, violations: readonly Violation[], salt: number): RunResult {
  const { seed } = script.setup;
  return {
    violations,
    hash: (seed * 7919 + salt).toString(16).padStart(8, '0'),
    events: 100,
    virtualMs: 2000,
    requests: { issued: 10, acknowledged: 9, failed: 1 },
    faults: 2,
    vacuous: seed % 50 === 0,
    excused: seed % 25 === 1 ? 'a disk lied' : null,
    marks: new Set(seed % 2 === 0 ? ['even'] : ['odd']),
  };
}
