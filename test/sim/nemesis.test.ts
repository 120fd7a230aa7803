/** Scripts from seeds: complete, sensible, always the same; and profiles that name what exists. */
import { describe, expect, it } from 'vitest';
import { ACT_NAMES } from '../../sim/nemesis/acts.js';
import { generate } from '../../sim/nemesis/generate.js';
import { PROFILES, profileNamed, type Profile } from '../../sim/nemesis/profiles.js';
import { BLOCK_BYTES, type Action, type Script } from '../../sim/script/script.js';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const CALM: readonly Action['kind'][] = [
  'request',
  'create',
  'start',
  'role',
  'reload',
  'await',
  'heal',
  'settle',
];

function named(name: string): Profile {
  const profile = profileNamed(name);
  if (profile === null) throw new Error(`no profile ${name}`);
  return profile;
}

function requestsOf(script: Script): number {
  return script.steps.filter(({ action }) => action.kind === 'request').length;
}

/** Nothing is broken on purpose. */
function isCalm(script: Script): boolean {
  return script.steps.every(({ action }) => CALM.includes(action.kind));
}

describe.each(PROFILES.map((profile) => [profile.name, profile] as const))('profile %s', (_, profile) => {
  const scripts = SEEDS.map((seed) => generate(seed, profile));

  it('makes the same script of the same seed', () => {
    const again = SEEDS.map((seed) => generate(seed, profile));
    expect(JSON.stringify(again)).toBe(JSON.stringify(scripts));
  });

  it('asks for enough, heals in the end, and settles', () => {
    for (const script of scripts) {
      expect(requestsOf(script)).toBeGreaterThanOrEqual(profile.requests);
      expect(requestsOf(script)).toBeLessThan(1.5 * profile.requests);
      expect(script.steps.slice(-2).map(({ action }) => action.kind)).toEqual(['heal', 'settle']);
    }
  });

  it('stays within the device, and within time', () => {
    for (const { setup, steps } of scripts) {
      const blocks = (setup.extents * setup.extentBytes) / BLOCK_BYTES;
      expect(setup.extents * setup.extentBytes).toBeLessThanOrEqual(
        profile.name === 'geometry' ? 2 ** 21 : 2 ** 17,
      );
      const odd = steps.filter(({ when, action }) => {
        if (when.ms < 0 || Math.round(when.ms * 1000) / 1000 !== when.ms) return true;
        if (action.kind !== 'request' || action.request.kind === 'flush') return false;
        const { block, count } = action.request;
        return count < 1 || block < 0 || block + count > blocks;
      });
      expect(odd).toEqual([]);
    }
  });
});

describe('generate', () => {
  it('breaks something in every history that is not calm, and one in ten is', () => {
    const profile = named('default');
    const calm = Array.from({ length: 1000 }, (_, seed) => generate(seed, profile)).filter(isCalm).length;
    expect(calm).toBeGreaterThan(70);
    expect(calm).toBeLessThan(130);
    expect(SEEDS.map((seed) => generate(seed, named('calm'))).every(isCalm)).toBe(true);
    expect(SEEDS.map((seed) => generate(seed, named('crash'))).some(isCalm)).toBe(false);
  });

  it('does almost everything in some hundred seeds', () => {
    const profile = named('default');
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 300; seed++) {
      for (const { action } of generate(seed, profile).steps) kinds.add(action.kind);
    }
    const wanted: readonly Action['kind'][] = [
      ...(['request', 'create', 'start', 'stop', 'role', 'reload', 'kill', 'pause', 'power'] as const),
      ...(['cut', 'cut-after', 'cut-channel', 'mend', 'mend-channel', 'reset', 'refuse', 'latency'] as const),
      ...(['bandwidth', 'delay-close', 'move', 'fail', 'slow', 'stick', 'repair', 'await'] as const),
    ];
    for (const kind of wanted) expect(kinds).toContain(kind);
    for (const kind of ['lie', 'corrupt', 'misdirect', 'shorten', 'restore'])
      expect(kinds).not.toContain(kind);
  });

  it('writes the last block, across extents, and more than one message carries', () => {
    let [last, across, long] = [0, 0, 0];
    for (let seed = 1; seed <= 50; seed++) {
      const { setup, steps } = generate(seed, named('default'));
      const extentBlocks = setup.extentBytes / BLOCK_BYTES;
      for (const { action } of steps) {
        if (action.kind !== 'request' || action.request.kind !== 'write') continue;
        const { block, count } = action.request;
        if (block + count === setup.extents * extentBlocks) last++;
        if (Math.floor(block / extentBlocks) !== Math.floor((block + count - 1) / extentBlocks)) across++;
        if (count * BLOCK_BYTES > setup.maxRequestBytes) long++;
      }
    }
    expect(Math.min(last, across, long)).toBeGreaterThan(50);
  });
});

describe('profiles', () => {
  it('have names of their own', () => {
    expect(new Set(PROFILES.map(({ name }) => name)).size).toBe(PROFILES.length);
    expect(profileNamed('no-such-profile')).toBeNull();
  });

  it('leave no act out', () => {
    const used = new Set(PROFILES.flatMap(({ acts }) => Object.keys(acts)));
    expect([...ACT_NAMES].filter((name) => !used.has(name))).toEqual([]);
  });

  it('mix cores only where the name says so', () => {
    for (const { name, cores } of PROFILES) {
      const mixed = cores.some(({ a, b }) => a !== 'own' || b !== 'own');
      expect(mixed).toBe(name.endsWith('-peer'));
    }
  });
});
