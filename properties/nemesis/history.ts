/** Histories that fast-check can shrink: fewer acts, fewer requests, a simpler world; then fewer steps. */
import fc from 'fast-check';
import { ACTS, ACT_NAMES, type ActName } from '../../sim/nemesis/acts.js';
import { Draft } from '../../sim/nemesis/draft.js';
import { profileNamed } from '../../sim/nemesis/profiles.js';
import { DEFAULT_SETUP, type Script, type Setup } from '../../sim/script/script.js';

/** Of the default profile: those that leave the data recoverable, whichever of their steps are left out. */
const SURVIVED = ACT_NAMES.filter(
  // A node whose metadata is damaged is of no use until the act's later steps have created it anew.
  (name) => profileNamed('default')?.acts[name] !== undefined && name !== 'damaged-metadata',
);

interface Deed {
  readonly act: ActName;
  /** Of what the act leaves open. */
  readonly seed: number;
  readonly requests: number;
}

const setup: fc.Arbitrary<Setup> = fc
  .record({
    seed: fc.nat({ max: 0xffff }),
    replication: fc.constantFrom('fullsync' as const, 'memsync' as const, 'async' as const),
    compression: fc.constantFrom('none' as const, 'hole' as const, 'lzf' as const),
    extents: fc.integer({ min: 2, max: 8 }),
    extentBytes: fc.constantFrom(4096, 8192),
    keepdirty: fc.record({ a: fc.integer({ min: 1, max: 4 }), b: fc.integer({ min: 1, max: 4 }) }),
    takeover: fc.boolean(),
    cached: fc.boolean(),
  })
  .map((changed) => ({ ...DEFAULT_SETUP, ...changed }));

const deed: fc.Arbitrary<Deed> = fc.record({
  act: fc.constantFrom(...SURVIVED),
  seed: fc.nat({ max: 0xffff }),
  requests: fc.nat({ max: 40 }),
});

/** A pair in its usual roles, a few acts, and the end of all faults. */
export const histories: fc.Arbitrary<Script> = fc
  .record({ setup, deeds: fc.array(deed, { minLength: 1, maxLength: 5 }) })
  .map((history) => {
    const draft = new Draft(history.setup);
    draft.role('b', 'secondary');
    draft.role('a', 'primary');
    draft.untilDevice();
    for (const { act, seed, requests } of history.deeds) {
      draft.beginAct(`${act} ${String(seed)}`, requests);
      ACTS[act](draft);
    }
    draft.take({ kind: 'settle' });
    return { setup: history.setup, steps: draft.steps };
  });

/** The same with some steps left out, as a shrinker does: a history as good as any other. */
export const torn: fc.Arbitrary<Script> = histories.chain((script) =>
  fc
    .subarray([...script.steps.keys()])
    .map((kept) => ({ setup: script.setup, steps: script.steps.filter((_, index) => kept.includes(index)) })),
);
