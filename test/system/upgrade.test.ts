/** Programs of the first protocol are replaced by today's, one host after the other, while an application writes. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { Random } from '../../sim/random.js';
import { Application, contentOf } from './faults/application.js';
import { BLOCK_BYTES } from './faults/ledger.js';
import { seedOf } from './faults/seed.js';
import { PROGRAMS } from './lab/host.js';
import type { Host } from './lab/host.js';
import { makeOldPrograms } from './lab/old-programs.js';
import { story } from './lab/story.js';

const MIB = 1 << 20;
const BLOCKS = (8 * MIB) / BLOCK_BYTES;
const OPTIONS = { settings: 'timeout 5\nreplication memsync', componentBytes: 24 * MIB };

/** What an administrator does to a secondary. */
async function upgrade(host: Host): Promise<void> {
  await host.hastd.stop();
  host.install(PROGRAMS);
  await host.startHastd();
  await host.hastctl('role secondary data');
}

story('upgrade: from protocol 1, secondary first, without an end to the writing', OPTIONS, async (lab) => {
  const { alpha, beta } = lab;
  const old = makeOldPrograms(join(lab.folder, 'old'), 'protocol-1');
  await lab.boot();
  for (const host of lab.hosts) {
    host.install(old);
    await host.hastctl('create data');
    await host.startHastd();
    expect(host.hastd.log).toContain('running protocol version 1');
  }
  await beta.hastctl('role secondary data');
  await alpha.hastctl('role primary data');
  await alpha.hastd.line('Nodes are in sync', 0);
  let primary = alpha;
  const app = new Application({
    blocks: BLOCKS,
    random: new Random(seedOf(lab), 'upgrade'),
    connect: () => primary.device(),
    inFlight: 4,
  });
  app.start();
  await app.progress(200);
  lab.say('both hosts speak protocol 1; an application writes');

  let began = lab.now();
  await upgrade(beta);
  expect(beta.hastd.log).toContain('running protocol version 2');
  await alpha.hastd.line('Synchronization complete', began);
  await app.progress(200);
  lab.say('beta, the secondary, was replaced, and is in sync with the old primary');

  began = lab.now();
  const changed = alpha.hastctl('role secondary data');
  primary = beta;
  await changed;
  await beta.hastctl('role primary data');
  await beta.hastd.line(/Nodes are in sync|Synchronization complete/, began);
  await app.progress(200);
  lab.say('the roles are exchanged: the new one is primary, the old one secondary');

  began = lab.now();
  await upgrade(alpha);
  await beta.hastd.line('Synchronization complete', began);
  await app.progress(200);
  lab.say('alpha was replaced, too');

  await app.stop();
  await lab.inSync(beta);
  const content = await contentOf(await beta.device(), BLOCKS);
  expect(app.ledger.judge(content, 'acknowledged')).toEqual({ violations: [], lostBlocks: 0 });
  expect(app.errors.size).toBe(0);
  expect(await alpha.digest()).toBe(await beta.digest());
  const longest = (app.longestMs / 1000).toFixed(1);
  lab.say(`all ${app.writes} acknowledged writes are on both; the longest took ${longest} s`);
});
