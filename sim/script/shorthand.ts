/** Lines that stand for several steps, so that scenarios are short; printed at length. */
import { Random } from '../random.js';
import { BLOCK_BYTES, type Request, type Setup, type Step, type When } from './script.js';

export const AT_ONCE: When = { kind: 'after', ms: 0 };
/** How long is waited for conditions that have no limit of their own. */
export const PATIENCE_MS = 60_000;

/** `a` is primary, `b` secondary, in sync. */
export function pairSteps(when: When): Step[] {
  return [
    { when, action: { kind: 'role', node: 'b', role: 'secondary', force: false } },
    { when: { kind: 'after', ms: 100 }, action: { kind: 'role', node: 'a', role: 'primary', force: false } },
    { when: AT_ONCE, action: { kind: 'until', condition: { kind: 'in-sync' }, withinMs: PATIENCE_MS } },
  ];
}

/** Writes every extent. */
export function fillSteps(when: When, { extents, extentBytes }: Setup): Step[] {
  const count = extentBytes / BLOCK_BYTES;
  return Array.from({ length: extents }, (_, extent) => ({
    when: extent === 0 ? when : AT_ONCE,
    action: {
      kind: 'request',
      node: null,
      request: { kind: 'write', block: extent * count, count, label: null },
    },
  }));
}

/** `requests` of all kinds, spread evenly over `withinMs`; which ones depends on the seed and on `name`. */
export function loadSteps(
  when: When,
  setup: Setup,
  requests: number,
  withinMs: number,
  name: string,
): Step[] {
  const random = new Random(setup.seed, `load ${name}`);
  const blocks = (setup.extents * setup.extentBytes) / BLOCK_BYTES;
  const gap: When = { kind: 'after', ms: Math.round((withinMs * 1000) / requests) / 1000 };
  return Array.from({ length: requests }, (_, index) => ({
    when: index === 0 ? when : gap,
    action: { kind: 'request', node: null, request: anyRequest(random, blocks) },
  }));
}

/** Half of them go to the first blocks. */
function anyRequest(random: Random, blocks: number): Request {
  const count = 1 + random.below(Math.min(8, blocks));
  const hot = random.chance(1, 2) ? Math.min(32, blocks) : blocks;
  const block = random.below(Math.max(1, hot - count + 1));
  const dice = random.below(20);
  if (dice < 12) return { kind: 'write', block, count, label: null };
  if (dice < 17) return { kind: 'read', block, count };
  return dice < 18 ? { kind: 'delete', block, count } : { kind: 'flush' };
}
