/**
 * A seed and a profile make a script: a pair of nodes, an application that asks for something a few hundred times, and acts of
 * the world and of the operator in between; in the end everything heals. All that is random is decided here, so that the
 * script can be printed, shortened and run again. Swarm testing: each seed knows some of the acts only, each with an intensity of its
 * own, so that no act drowns the others.
 */
import { Random } from '../random.js';
import { otherNode, type Script, type Setup } from '../script/script.js';
import { ACTS, CALM_ACTS, type Act, type ActName } from './acts.js';
import { between, logUniform, pick, pickWeighted, powerOfTwo, type Weighted } from './chance.js';
import { Draft } from './draft.js';
import type { Opening, Profile } from './profiles.js';

const MAX_REQUEST_BYTES = [2048, 4096];
/** hast.conf takes no less. */
const LEAST_SYNC_RATE = 65_536;
const SLOW_COPY_S = 4;
const TIES = ['sequence', 'random', 'priority'] as const;
/** Requests before the first act, and of one that is added. */
const FIRST_REQUESTS = 24;
const LAST_REQUESTS = 32;

export function generate(seed: number, profile: Profile): Script {
  const configuration = new Random(seed, 'configuration');
  const calm = profile.calmOneIn > 0 && configuration.chance(1, profile.calmOneIn);
  const draft = new Draft(drawSetup(seed, profile, configuration));
  const swarm = new Random(seed, 'swarm');
  const acts = calm ? calmActs(profile) : drawActs(profile, swarm);
  open(draft, calm ? 'usual' : pick(configuration, profile.openings));
  const [least, most] = profile.length;
  const count = Math.round(logUniform(swarm, least, most));
  for (let i = 0; i < count; i++) {
    const budget = Math.ceil((profile.requests - draft.requests) / (count - i));
    play(draft, pickWeighted(swarm, acts), i, budget);
  }
  // A history without a fault proves nothing, unless it is meant to be calm.
  if (!calm && draft.faults === 0) play(draft, pickWeighted(swarm, faultsOf(profile)), count, LAST_REQUESTS);
  close(draft, profile);
  return { setup: draft.setup, steps: draft.steps };
}

function drawSetup(seed: number, profile: Profile, random: Random): Setup {
  const { keepdirty } = profile;
  const replication = pick(random, profile.modes);
  const checksum = pick(random, profile.checksums);
  const compression = pick(random, profile.compressions);
  const timeout = between(random, ...profile.timeout);
  const extents = between(random, ...profile.extents);
  const extentBytes = pick(random, profile.extentBytes);
  return {
    seed,
    replication,
    checksum,
    compression,
    timeout,
    extents,
    extentBytes,
    keepdirty: { a: between(random, ...keepdirty), b: between(random, ...keepdirty) },
    maxRequestBytes: pick(random, MAX_REQUEST_BYTES),
    ties: pick(random, TIES),
    cores: pick(random, profile.cores),
    takeover: random.chance(1, 4),
    cached: random.chance(1, 3),
    syncBytesPerS: drawSyncRate(new Random(seed, 'syncrate'), extents * extentBytes),
  };
}

/** Mostly as fast as it goes; else all of the device takes a few seconds. */
function drawSyncRate(random: Random, deviceBytes: number): number {
  return random.chance(1, 4) ? Math.max(LEAST_SYNC_RATE, Math.ceil(deviceBytes / SLOW_COPY_S)) : 0;
}

/** Half of the acts of the profile, each from an eighth to eight times as likely as usual. */
function drawActs(profile: Profile, random: Random): Weighted<Act> {
  const drawn: (readonly [Act, number])[] = [];
  for (const [name, weight] of weightsOf(profile)) {
    const enabled = !profile.swarm || random.chance(1, 2);
    const intensity = powerOfTwo(random, 0.125, 8);
    if (enabled) drawn.push([ACTS[name], weight * intensity]);
  }
  return drawn.length > 0 ? drawn : faultsOf(profile);
}

function calmActs(profile: Profile): Weighted<Act> {
  const calm = weightsOf(profile).filter(([name]) => name in CALM_ACTS);
  return calm.length > 0 ? calm.map(([name, weight]) => [ACTS[name], weight]) : [[CALM_ACTS.idle, 1]];
}

function faultsOf(profile: Profile): Weighted<Act> {
  const others = weightsOf(profile).filter(([name]) => !(name in CALM_ACTS));
  return others.map(([name, weight]) => [ACTS[name], weight]);
}

function weightsOf(profile: Profile): (readonly [ActName, number])[] {
  return Object.entries(profile.acts) as (readonly [ActName, number])[];
}

function play(draft: Draft, act: Act, index: number, budget: number): void {
  draft.beginAct(String(index), budget);
  act(draft);
  if (draft.chance(1, 3)) draft.waitAbout(1, 20_000);
}

function open(draft: Draft, opening: Opening): void {
  draft.beginAct('opening', FIRST_REQUESTS);
  switch (opening) {
    case 'usual':
      draft.role('b', 'secondary');
      if (draft.chance(1, 2)) draft.waitAbout(0.064, 100);
      draft.role('a', 'primary');
      draft.untilDevice();
      break;
    case 'alone':
      draft.role('a', 'primary');
      draft.untilDevice();
      draft.loadFew();
      draft.waitAbout(1, 8_000);
      draft.role('b', 'secondary');
      break;
    case 'struck':
      struck(draft);
      break;
    case 'two-virgins':
      twoVirgins(draft);
      break;
  }
  draft.load(Math.max(0, draft.budget));
}

/** A secondary that adopts the primary's id, and an answer that is lost (C20). */
function struck(draft: Draft): void {
  if (draft.chance(1, 2)) {
    draft.role('a', 'primary');
    draft.untilDevice();
    draft.loadFew();
    draft.role('b', 'secondary');
  } else {
    draft.role('b', 'secondary');
    draft.role('a', 'primary');
  }
  const times = between(draft.random, 1, 3);
  for (let i = 0; i < times; i++) strikeHandshake(draft);
  draft.untilDevice();
}

function strikeHandshake(draft: Draft): void {
  switch (draft.random.below(4)) {
    case 0:
      draft.waitAbout(0.25, 16);
      draft.fault({ kind: 'kill', node: draft.someNode, what: 'worker' });
      break;
    case 1:
      draft.waitAbout(0.25, 16);
      draft.fault({ kind: 'reset' });
      break;
    default: {
      const how = draft.pick(['silence', 'reset'] as const);
      draft.fault({
        kind: 'cut-after',
        from: draft.pick(['b', 'b', 'a']),
        bytes: draft.random.below(900),
        how,
      });
      draft.waitAbout(1_000, 16_000);
      draft.take({ kind: 'mend', from: null });
      break;
    }
  }
  if (draft.chance(1, 2)) draft.waitAbout(1, 12_000);
}

function twoVirgins(draft: Draft): void {
  draft.fault({ kind: 'cut', from: null });
  for (const node of ['a', 'b'] as const) {
    draft.role(node, 'primary');
    draft.until({ kind: 'device', node, present: true });
    if (draft.chance(2, 3)) draft.loadFew(node);
    draft.waitAbout(1, 8_000);
  }
  draft.take({ kind: 'mend', from: null });
  if (draft.chance(1, 2)) draft.waitAbout(1, 20_000);
  const loser = draft.someNode;
  draft.role(loser, 'secondary');
  draft.role(otherNode(loser), 'primary');
  draft.take({ kind: 'settle' });
}

/** What is missing of the requests; then everything heals. */
function close(draft: Draft, profile: Profile): void {
  draft.beginAct('end', 0);
  draft.untilDevice();
  draft.load(Math.max(0, profile.requests - draft.requests));
  draft.take({ kind: 'heal' });
  draft.take({ kind: 'settle' });
}
