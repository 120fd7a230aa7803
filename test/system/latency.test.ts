/** Hosts that are 1, 10 and 50 ms apart, there and back: what each mode makes of it, and that no timer is mistaken. */
import { expect } from 'vitest';
import type { ReplicationMode } from '../../core/config/types.js';
import type { NbdClient } from '../../native/nbd/client.js';
import { Random } from '../../sim/random.js';
import { Application, contentOf } from './faults/application.js';
import { BLOCK_BYTES } from './faults/ledger.js';
import { MODE_LAB_OPTIONS, MODES, resourceOf } from './faults/modes.js';
import { seedOf } from './faults/seed.js';
import { Distance } from './lab/distance.js';
import type { Lab } from './lab/lab.js';
import { story } from './lab/story.js';

const MIB = 1 << 20;
const BLOCKS = (8 * MIB) / BLOCK_BYTES;
const ROUND_TRIPS_MS = [1, 10, 50];
const WRITES = 40;
const BYTES_APART = 12 * MIB;
const OPTIONS = { ...MODE_LAB_OPTIONS, componentBytes: 24 * MIB, alongside: true };
/** Longer than any timer: KEEPALIVE and probe every 10 s, 20 s until a secondary gives a silent primary up. */
const QUIET_MS = 22_000;

/** How long writes take, one after the other: shortest and middle, ms. */
async function writeTimes(client: NbdClient): Promise<{ readonly least: number; readonly middle: number }> {
  const times: number[] = [];
  for (let i = 0; i < WRITES; i++) {
    const began = performance.now();
    await client.write((BLOCKS + i) * BLOCK_BYTES, new Uint8Array(BLOCK_BYTES).fill(i + 1));
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  return { least: times[0] ?? 0, middle: times[WRITES >> 1] ?? 0 };
}

/** How long a status takes, ms: it is asked of this host alone. */
async function statusTime(lab: Lab, mode: ReplicationMode): Promise<number> {
  const began = performance.now();
  expect(await lab.alpha.status(resourceOf(mode))).toMatchObject({ status: 'complete', replication: mode });
  return performance.now() - began;
}

const TALK = { ...OPTIONS, settings: 'timeout 5', limitMs: 180_000 };

story('latency: 1, 10 and 50 ms from host to host and back', TALK, async (lab) => {
  const { alpha, beta, network } = lab;
  await lab.boot();
  const distance = await Distance.between(alpha, beta);
  await lab.formPair();
  const modes = MODES.map((mode) => ({ mode, resource: resourceOf(mode) }));
  for (const roundTripMs of ROUND_TRIPS_MS) {
    distance.setRoundTrip(roundTripMs);
    const texts: string[] = [];
    for (const { mode, resource } of modes) {
      const client = await alpha.device(resource);
      const { least, middle } = await writeTimes(client);
      await client.disconnect();
      // Nothing can be heard of the peer sooner; async does not wait for it.
      if (mode === 'async') expect(least).toBeLessThan(50);
      else expect(least).toBeGreaterThanOrEqual(roundTripMs);
      const statusMs = await statusTime(lab, mode);
      texts.push(`${mode} ${middle.toFixed(1)} ms (status ${statusMs.toFixed(1)} ms)`);
    }
    lab.say(`${roundTripMs} ms: a write takes ${texts.join(', ')}`);
  }
  expect(alpha.hastd.log).not.toContain('Disconnected');

  const seed = seedOf(lab);
  const apps = modes.map(({ resource }) => {
    const random = new Random(seed, resource);
    return new Application({ blocks: BLOCKS, random, connect: () => alpha.device(resource), restMs: 20 });
  });
  for (const app of apps) app.start();
  for (const app of apps) await app.progress(100);
  lab.say('an application writes in each mode');
  await network.separate('alpha', 'beta');
  await Promise.all(
    modes.map(({ resource }) => alpha.until('degraded', ({ status }) => status === 'degraded', { resource })),
  );
  lab.say('50 ms, and the cable is cut: all applications go on alone');
  for (const app of apps) await app.progress(100);
  await Promise.all(
    modes.map(async ({ resource }) => {
      const client = await alpha.device(resource);
      await client.write(BLOCKS * BLOCK_BYTES, new Uint8Array(BYTES_APART).fill(7));
      await client.disconnect();
    }),
  );
  const mended = lab.now();
  await network.mend();
  await Promise.all(
    modes.map(async ({ mode, resource }, i) => {
      await alpha.hastd.line(`[${resource}] (primary) Synchronization complete`, mended);
      await apps[i]?.stop();
      await lab.inSync(alpha, resource);
      const content = await contentOf(await alpha.device(resource), BLOCKS);
      expect(apps[i]?.ledger.judge(content, 'acknowledged')).toEqual({ violations: [], lostBlocks: 0 });
      expect(await beta.digest(resource)).toBe(await alpha.digest(resource));
      lab.say(`${mode}: in sync again, both copies are the same`);
    }),
  );
});

const QUIET = { ...OPTIONS, settings: 'timeout 3' };

story('latency: nobody has anything to say at 50 ms, with a timeout of 3 s', QUIET, async (lab) => {
  const { alpha, beta } = lab;
  await lab.boot();
  const distance = await Distance.between(alpha, beta);
  distance.setRoundTrip(50);
  await lab.formPair();
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  for (const resource of lab.resources) await lab.inSync(alpha, resource);
  expect(alpha.hastd.log).not.toContain('Disconnected');
  lab.say('all are still connected');
});
