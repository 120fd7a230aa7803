/**
 * Networks that are cut, in one direction or both, for longer and shorter than the timers, while an application
 * writes; and what happens when somebody makes the wrong node primary meanwhile.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Random } from '../../sim/random.js';
import { eventually } from '../e2e/cluster.js';
import { Application, contentOf } from './faults/application.js';
import { BLOCK_BYTES } from './faults/ledger.js';
import { seedOf } from './faults/seed.js';
import type { Host } from './lab/host.js';
import type { Lab } from './lab/lab.js';
import { story } from './lab/story.js';

const MIB = 1 << 20;
const BLOCKS = (16 * MIB) / BLOCK_BYTES;
const OPTIONS = { settings: 'timeout 5', componentBytes: 24 * MIB, alongside: true };

/** An application on the device of whichever host `primary` names; it has already written something. */
async function startWork(lab: Lab, primary: () => Host): Promise<Application> {
  const random = new Random(seedOf(lab), primary().name);
  const connect = (): ReturnType<Host['device']> => primary().device();
  const app = new Application({ blocks: BLOCKS, random, connect, inFlight: 4, restMs: 20 });
  app.start();
  await app.progress(100);
  return app;
}

/** Everything that was acknowledged can be read on `primary`, and both copies are the same. */
async function expectAllThere(lab: Lab, app: Application, primary: Host): Promise<void> {
  await lab.inSync(primary);
  const content = await contentOf(await primary.device(), BLOCKS);
  expect(app.ledger.judge(content, 'acknowledged')).toEqual({ violations: [], lostBlocks: 0 });
  expect(app.errors.size).toBe(0);
  expect(await lab.beta.digest()).toBe(await lab.alpha.digest());
  lab.say(`all ${app.writes} acknowledged writes are there, and both copies are the same`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

story('partition: from alpha to beta, from beta to alpha, both', OPTIONS, async (lab) => {
  const { alpha, beta, network } = lab;
  await lab.startPair();
  const app = await startWork(lab, () => alpha);
  const cuts = [
    { what: 'from alpha to beta', directions: [['alpha', 'beta']] },
    { what: 'from beta to alpha', directions: [['beta', 'alpha']] },
    {
      what: 'in both directions',
      directions: [
        ['alpha', 'beta'],
        ['beta', 'alpha'],
      ],
    },
  ] as const;
  for (const { what, directions } of cuts) {
    app.longestMs = 0;
    for (const [from, to] of directions) await network.cut(from, to);
    lab.say(`packets ${what} are lost`);
    await alpha.until('degraded', ({ status }) => status === 'degraded');
    await app.progress(100);
    lab.say(`alpha goes on alone; the longest write took ${seconds(app.longestMs)}`);
    expect(await beta.status()).toMatchObject({ role: 'secondary' });
    const mended = lab.now();
    await network.mend();
    await alpha.hastd.line('Synchronization complete', mended);
    lab.say('mended, and in sync again');
  }
  await app.stop();
  await expectAllThere(lab, app, alpha);
});

/**
 * Cuts around the timers: `timeout` 5 s, KEEPALIVE and reconnection every 10 s, 20 s until a secondary gives a silent primary up.
 * Cable good in between for less than a handshake takes, or for a little more.
 */
const FLAPS = [
  { cutMs: 4_500, goodMs: 100 },
  { cutMs: 5_500, goodMs: 1_500 },
  { cutMs: 9_500, goodMs: 300 },
  { cutMs: 10_500, goodMs: 2_000 },
  { cutMs: 20_500, goodMs: 500 },
];

story('partition: a cable that flaps around the timers', OPTIONS, async (lab) => {
  const { alpha, network } = lab;
  await lab.startPair();
  const app = await startWork(lab, () => alpha);
  for (const { cutMs, goodMs } of FLAPS) {
    await network.separate('alpha', 'beta');
    await pause(cutMs);
    await network.mend();
    await pause(goodMs);
    lab.say(`cut for ${seconds(cutMs)}, good for ${seconds(goodMs)}; ${app.writes} writes so far`);
  }
  await app.progress(100);
  lab.say(`the cable is good again; the longest write took ${seconds(app.longestMs)}`);
  await app.stop();
  await expectAllThere(lab, app, alpha);
});

/** Lets hast.conf call a program that notes events; answers what a host has noted. */
function noteEvents(lab: Lab): (host: Host) => readonly string[] {
  const hook = join(lab.folder, 'hook');
  writeFileSync(hook, `#!/bin/sh\necho "$@" >>${lab.folder}/$(hostname)/events.log\n`);
  chmodSync(hook, 0o755);
  lab.configure(`timeout 5\nexec ${hook}`);
  return (host) => {
    const path = join(host.folder, 'events.log');
    return existsSync(path) ? readFileSync(path, 'latin1').trimEnd().split('\n') : [];
  };
}

function count(events: readonly string[], event: string): number {
  return events.filter((each) => each === event).length;
}

story(
  'partition: a promoted minority is a split-brain, repaired by hand',
  { ...OPTIONS, hastd: ['-d'] },
  async (lab) => {
    const { alpha, beta, network } = lab;
    const eventsOf = noteEvents(lab);
    await lab.startPair();
    await network.separate('alpha', 'beta');
    const app = await startWork(lab, () => alpha);
    await beta.hastctl('role primary data');
    const other = await startWork(lab, () => beta);
    await Promise.all([app.stop(), other.stop()]);
    lab.say('the cable was cut; somebody made beta primary, too, and both were written to');

    await network.mend();
    await eventually('both to notice', () =>
      [alpha, beta].every((host) => count(eventsOf(host), 'dual-primary data') === 1),
    );
    lab.say('mended: both say that there are two primaries');
    const before = await Promise.all(lab.hosts.map((host) => host.digest()));
    const from = alpha.hastd.log.length;
    await beta.hastctl('role secondary data');
    await eventually('both to detect the split-brain', () =>
      [alpha, beta].every((host) => eventsOf(host).includes('split-brain data')),
    );
    await eventually('alpha to try again', () => {
      const refusals = alpha.hastd.log.slice(from).match(/Split-brain condition!/g) ?? [];
      return refusals.length >= 2;
    });
    for (const host of lab.hosts) expect(count(eventsOf(host), 'split-brain data')).toBe(1);
    expect(await Promise.all(lab.hosts.map((host) => host.digest()))).toEqual(before);
    expect(before[0]).not.toBe(before[1]);
    expect(await alpha.status()).toMatchObject({ role: 'primary', status: 'degraded', exported: true });
    lab.say(
      'beta stepped down: both detected the split-brain, told the hook once, and left both disks as they were',
    );

    await beta.hastctl('role init data');
    await beta.hastctl('create data');
    await beta.hastctl('role secondary data');
    await lab.inSync(alpha);
    lab.say('role init, create, role secondary on beta: its writes are given up, as the operator decided');
    await expectAllThere(lab, app, alpha);
  },
);

story('partition: no split-brain where only one side wrote', OPTIONS, async (lab) => {
  const { alpha, beta, network } = lab;
  const eventsOf = noteEvents(lab);
  await lab.startPair();
  let primary = alpha;
  const app = await startWork(lab, () => primary);
  await network.separate('alpha', 'beta');
  await beta.hastctl('role primary data');
  await alpha.until('degraded', ({ status }) => status === 'degraded');
  await app.progress(100);
  const mended = lab.now();
  await network.mend();
  await beta.hastctl('role secondary data');
  await alpha.hastd.line('Synchronization complete', mended);
  lab.say('beta was primary too, but nobody wrote to it: it is brought up to date from alpha');

  await app.stop();
  await lab.inSync(alpha);
  await network.separate('alpha', 'beta');
  await beta.hastctl('role primary data');
  primary = beta;
  app.start();
  await app.progress(100);
  await alpha.hastctl('role secondary data');
  await network.mend();
  await lab.inSync(beta);
  lab.say('nobody wrote to alpha while both were primary: it is brought up to date from beta');
  await app.stop();
  await expectAllThere(lab, app, beta);
  for (const host of lab.hosts) expect(eventsOf(host)).not.toContain('split-brain data');
});
