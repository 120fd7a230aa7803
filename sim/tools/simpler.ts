/**
 * What could be simpler about a script, one change at a time, the simplest first: shorter times, round numbers, one block
 * instead of nine, a killed process instead of a dark machine. Each is a guess; the caller runs it to see whether it still fails.
 */
import {
  DEFAULT_SETUP,
  type Action,
  type DiskPlace,
  type Request,
  type Setup,
  type When,
} from '../script/script.js';

/** Milliseconds that are rounder and not longer than `ms`, the shortest first; none when there are none. */
export function rounderTimes(ms: number): readonly number[] {
  const times = new Set<number>();
  if (ms > 0) times.add(0);
  let power = 1;
  for (; power * 10 <= ms; power *= 10) times.add(power);
  if (ms >= 1) {
    if (power > 1) times.add(power / 2);
    times.add(power);
    times.add(Math.floor(ms / power) * power);
    times.add(Math.floor(ms / Math.max(1, power / 10)) * Math.max(1, power / 10));
    times.add(Math.floor(ms));
  }
  times.delete(ms);
  return [...times];
}

export function simplerWhens(when: When): readonly When[] {
  const times = rounderTimes(when.ms);
  if (when.kind === 'after') return times.map((ms) => ({ kind: 'after', ms }));
  return [{ kind: 'after', ms: 0 }, ...times.map((ms): When => ({ kind: 'at', ms }))];
}

export function simplerActions(action: Action): readonly Action[] {
  switch (action.kind) {
    case 'request':
      return [
        ...(action.node === null ? [] : [{ ...action, node: null }]),
        ...simplerRequests(action.request).map((request) => ({ ...action, request })),
      ];
    case 'role':
      return action.force ? [{ ...action, force: false }] : [];
    case 'power':
      return action.on ? [] : [{ kind: 'kill', node: action.node, what: 'all' }];
    case 'kill':
      return action.what === 'worker' ? [] : [{ ...action, what: 'worker' }];
    case 'cut':
      return action.from === null ? [] : [{ ...action, from: null }];
    case 'cut-after':
      return [
        { kind: 'cut', from: null },
        { kind: 'cut', from: action.from },
        ...rounderTimes(action.bytes).map((bytes) => ({ ...action, bytes })),
      ];
    case 'cut-channel':
      return [
        { kind: 'cut', from: null },
        { kind: 'cut', from: action.from },
      ];
    case 'mend':
      return action.from === null ? [] : [{ ...action, from: null }];
    case 'pause':
    case 'spikes':
    case 'batch':
    case 'delay-close':
      return rounderTimes(action.ms).map((ms) => ({ ...action, ms }));
    case 'latency':
      return simplerRange(action.minMs, action.maxMs).map(([minMs, maxMs]) => ({ ...action, minMs, maxMs }));
    case 'slow':
      return rounderTimes(action.delayMs).map((delayMs) => ({ ...action, delayMs }));
    case 'fail':
      return [
        ...(action.times === 1 ? [] : [{ ...action, times: 1 }]),
        ...(action.code === 'EIO' ? [] : [{ ...action, code: 'EIO' as const }]),
        ...simplerPlaces(action.place).map((place) => ({ ...action, place })),
      ];
    case 'corrupt':
      return action.bit === null ? [] : [{ ...action, bit: null }];
    case 'repair':
      return action.node === null ? [] : [{ ...action, node: null }];
    default:
      return [];
  }
}

function simplerRequests(request: Request): readonly Request[] {
  if (request.kind === 'flush') return [];
  const simpler: Request[] = [];
  if (request.count > 1) {
    simpler.push({ ...request, count: 1 });
    if (request.count > 2) simpler.push({ ...request, count: 2 });
    if (request.count > 5) simpler.push({ ...request, count: request.count >> 1 });
    // The part that matters may be the last one.
    simpler.push({ ...request, block: request.block + request.count - 1, count: 1 });
  }
  if (request.kind === 'write' && request.label !== null) simpler.push({ ...request, label: null });
  return simpler;
}

function simplerPlaces(place: DiskPlace): readonly DiskPlace[] {
  if (place.kind === 'all') return [];
  if (place.kind !== 'blocks' || place.count === 1) return [{ kind: 'all' }];
  return [{ kind: 'all' }, { ...place, count: 1 }, { ...place, count: place.count >> 1 }];
}

function simplerRange(min: number, max: number): readonly (readonly [number, number])[] {
  const fixed = [...rounderTimes(max), ...(min === max ? [] : [max])].map((ms) => [ms, ms] as const);
  return fixed.filter(([ms]) => ms > 0);
}

/** Everything at its default at once, then one thing after the other. */
export function simplerSetups(setup: Setup): readonly Setup[] {
  const { seed } = setup;
  const simpler: Setup[] = [
    { ...DEFAULT_SETUP, seed },
    { ...DEFAULT_SETUP, seed, replication: setup.replication },
  ];
  for (const key of Object.keys(DEFAULT_SETUP) as (keyof Setup)[]) {
    if (key !== 'seed') simpler.push({ ...setup, [key]: DEFAULT_SETUP[key] });
  }
  if (setup.extents !== DEFAULT_SETUP.extents) {
    for (let extents = 1; extents < setup.extents; extents *= 2) simpler.push({ ...setup, extents });
  }
  return simpler.filter((candidate) => JSON.stringify(candidate) !== JSON.stringify(setup));
}
