/**
 * Two daemons and their workers under load for a while, with all that happens on ordinary days: descriptors and memory are as
 * many at the end as in the beginning. Two minutes among the other tests, ten by `npm run system -- soak`.
 */
import { expect } from 'vitest';
import { Random } from '../../sim/random.js';
import { median } from '../bench/statistics.js';
import { Application, contentOf } from './faults/application.js';
import { BLOCK_BYTES } from './faults/ledger.js';
import { seedOf } from './faults/seed.js';
import type { Host } from './lab/host.js';
import { story } from './lab/story.js';

const MIB = 1 << 20;
const BLOCKS = (32 * MIB) / BLOCK_BYTES;
const SOAK_S = Number(process.env['HAST_SOAK_S']);
const SAMPLE_MS = 2_000;
/** Something of an ordinary day happens after so many samples. */
const SAMPLES_PER_EVENT = 5;
/** Node's heap breathes. */
const BREATH_MIB = 16;
/** More than any of these processes ever needs. */
const MOST_MIB = 256;

interface Sample {
  readonly descriptors: number;
  readonly memoryMiB: number;
}

/** What one process had, sample by sample. */
type History = Sample[];

async function sample(host: Host, pid: string): Promise<Sample> {
  const answer = await host.run(
    `ls /proc/${pid}/fd | wc -l; awk '/^VmRSS/ { print $2 }' /proc/${pid}/status`,
  );
  const [descriptors = 0, memoryKiB = 0] = answer.trim().split('\n').map(Number);
  return { descriptors, memoryMiB: memoryKiB / 1024 };
}

story(
  `soak: ${SOAK_S} s of ordinary days`,
  { settings: 'timeout 5\nreplication memsync', limitMs: (SOAK_S + 120) * 1000 },
  async (lab) => {
    await lab.startPair();
    const { alpha, beta } = lab;
    const app = new Application({
      blocks: BLOCKS,
      random: new Random(seedOf(lab), 'application'),
      connect: () => alpha.device(),
    });
    app.start();
    const ordinaryDay: readonly (() => Promise<unknown>)[] = [
      () => alpha.hastctl('list'),
      () => beta.hastctl('status'),
      () => Promise.resolve(lab.hosts.forEach(({ hastd }) => hastd.signal('SIGHUP'))),
      async () => (await alpha.device()).disconnect(),
      async () => (await alpha.device()).destroy(),
    ];
    const processes = await Promise.all(
      lab.hosts.map(async (host) => {
        const { workerpid } = await host.status();
        return [
          { host, what: `${host.name}'s daemon`, pid: '$(cat /run/hastd.pid)', history: [] as History },
          { host, what: `${host.name}'s worker`, pid: String(workerpid), history: [] as History },
        ];
      }),
    );
    const began = lab.now();
    for (let samples = 1; lab.now() - began < SOAK_S; samples++) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      for (const { host, pid, history } of processes.flat()) history.push(await sample(host, pid));
      if (samples % SAMPLES_PER_EVENT === 0) {
        await ordinaryDay[(samples / SAMPLES_PER_EVENT) % ordinaryDay.length]?.();
      }
    }
    await app.stop();
    lab.say(
      `${app.writes} writes, ${app.flushes} flushes, the longest write took ${app.longestMs.toFixed(0)} ms`,
    );
    for (const { what, history } of processes.flat()) {
      // The first half warms up.
      const quarter = Math.floor(history.length / 4);
      const [early, late] = [history.slice(2 * quarter, 3 * quarter), history.slice(-quarter)];
      const memory = [early, late].map((part) => median(part.map(({ memoryMiB }) => memoryMiB)));
      const descriptors = [early, late].map((part) => median(part.map((one) => one.descriptors)));
      const course = history.filter((_, i) => i % Math.ceil(history.length / 10) === 0);
      lab.say(
        `${what}: MiB in the course of time: ${course.map(({ memoryMiB }) => memoryMiB.toFixed(0)).join(' ')}`,
      );
      lab.say(
        `${what}: descriptors ${descriptors.join(' -> ')}, memory ${memory.map((mib) => mib.toFixed(1)).join(' -> ')} MiB`,
      );
      expect(descriptors[1], what).toBeLessThanOrEqual(descriptors[0] ?? 0);
      expect(memory[1], what).toBeLessThanOrEqual(Math.min(MOST_MIB, (memory[0] ?? 0) + BREATH_MIB));
    }
    await lab.inSync(alpha);
    const content = await contentOf(await alpha.device(), BLOCKS);
    expect(app.ledger.judge(content, 'acknowledged')).toEqual({ violations: [], lostBlocks: 0 });
    expect(app.errors.size).toBe(0);
    expect(await alpha.digest()).toBe(await beta.digest());
    lab.say('everything is there, and both copies are equal');
  },
);
