/**
 * Real faults of a disk, below a real hastd: sectors that cannot be read, writes that fail, a full, a slow and a stuck
 * device. The application sees what the mode promises, and hastctl tells the operator.
 */
import { expect } from 'vitest';
import type { StatusEntry } from '../../core/control/replies.js';
import { Random } from '../../sim/random.js';
import { eventually } from '../e2e/cluster.js';
import { Application, contentOf } from './faults/application.js';
import { BAD_DISK_PROGRAMS, BadDisk } from './faults/bad-disk.js';
import type { BadDiskOptions } from './faults/bad-disk.js';
import { insertedPath } from './faults/inserted-disk.js';
import { BLOCK_BYTES } from './faults/ledger.js';
import { MODE_LAB_OPTIONS, MODES, resourceOf, survivesPrimary } from './faults/modes.js';
import { seedOf } from './faults/seed.js';
import type { Host } from './lab/host.js';
import type { HostName } from './lab/network.js';
import type { Lab } from './lab/lab.js';
import { story } from './lab/story.js';

const MIB = 1 << 20;
const COMPONENT_BYTES = 24 * MIB;
/** What the application uses of a device; less than there is. */
const BLOCKS = (16 * MIB) / BLOCK_BYTES;

const OPTIONS = {
  settings: 'timeout 5',
  componentBytes: COMPONENT_BYTES,
  local: (_host: Host, resource: string) => insertedPath(resource),
  needs: BAD_DISK_PROGRAMS,
};

function disk(host: Host, resource: string, options: Partial<BadDiskOptions> = {}): BadDisk {
  return new BadDisk(host, resource, { mediaSize: COMPONENT_BYTES, ...options });
}

type Disks = Readonly<Record<HostName, BadDisk>>;

async function insertDisks(
  lab: Lab,
  resource: string,
  onAlpha: Partial<BadDiskOptions> = {},
): Promise<Disks> {
  const disks = { alpha: disk(lab.alpha, resource, onAlpha), beta: disk(lab.beta, resource) };
  await Promise.all([disks.alpha.insert(), disks.beta.insert()]);
  return disks;
}

/** An application on the device of `host` that has already written something. */
async function startWork(lab: Lab, host: Host, resource = 'data', blocks = BLOCKS): Promise<Application> {
  const random = new Random(seedOf(lab), resource);
  const app = new Application({ blocks, random, connect: () => host.device(resource) });
  app.start();
  await app.progress(200);
  return app;
}

/** Reads everything back, on `host`: all that was promised must be there. */
async function check(app: Application, host: Host, resource = 'data'): Promise<void> {
  const content = await contentOf(await host.device(resource), app.ledger.blocks);
  expect(app.ledger.judge(content, 'acknowledged')).toEqual({ violations: [], lostBlocks: 0 });
}

/** The copies' user data is the same. */
async function expectEqualCopies(lab: Lab, disks: Disks, resource = 'data'): Promise<void> {
  const offset = Number((await lab.alpha.dump(resource))['localoff']);
  const [alpha, beta] = [disks.alpha.content.subarray(offset), disks.beta.content.subarray(offset)];
  expect(alpha.equals(beta)).toBe(true);
}

function localErrors({ counters }: StatusEntry): string {
  return `local errors: read: ${counters.readErrors}, write: ${counters.writeErrors}`;
}

story('disk: sectors that cannot be read', OPTIONS, async (lab) => {
  const { alpha, beta } = lab;
  await lab.boot();
  const disks = await insertDisks(lab, 'data');
  await lab.formPair();
  const app = await startWork(lab, alpha);
  await disks.alpha.failReads(true);
  lab.say('no sector of alpha, the primary, can be read any more');
  await app.progress(100);
  await app.stop();
  await check(app, alpha);
  expect(app.errors.size).toBe(0);
  const status = await alpha.status();
  expect(status).toMatchObject({ status: 'complete', localCopy: 'complete' });
  expect(status.counters.readErrors).toBeGreaterThan(0);
  expect(alpha.hastd.log).toMatch(/Local request failed .*READ/);
  lab.say(`the application did not notice: beta served its reads. alpha says: ${localErrors(status)}`);

  await beta.kill();
  await alpha.until('degraded', (now) => now.status === 'degraded');
  await disks.alpha.failReads(true);
  const client = await alpha.device();
  await expect(client.read(0, BLOCK_BYTES)).rejects.toMatchObject({ code: 'EIO' });
  await client.disconnect();
  lab.say('without beta a read gets EIO, at once');
  await disks.alpha.failReads(false);
  await check(app, alpha);
  lab.say('it was the cable of the disk: plugged in again, everything can be read, and it is all there');
});

/** Of the component, in bytes: 64 blocks of the user data. */
const BAD_REGION = { from: 4 * MIB, to: 4 * MIB + 64 * BLOCK_BYTES };

story('disk: writes that fail on the primary', OPTIONS, async (lab) => {
  const { alpha, beta } = lab;
  await lab.boot();
  const disks = await insertDisks(lab, 'data', { unwritable: BAD_REGION, writeError: 'ENOSPC' });
  await lab.formPair();
  const app = await startWork(lab, alpha, 'data', (BAD_REGION.to + MIB) / BLOCK_BYTES);
  const marked = await alpha.until('a write error', ({ counters }) => counters.writeErrors > 0);
  await app.progress(300);
  lab.say(`a region of alpha cannot be written; alpha says: ${localErrors(marked)}`);
  expect(app.errors.size).toBe(0);
  expect(alpha.hastd.log).toMatch(/Local request failed .*WRITE/);
  await app.stop();
  await check(app, alpha);
  const { counters } = await alpha.status();
  expect(counters.dirty).toBeGreaterThan(0);
  lab.say(
    `the application did not notice: these bytes are read from beta. ${counters.dirty} bytes are dirty`,
  );

  app.start();
  disks.alpha.failWrites(true);
  lab.say('no write of alpha works any more: no space');
  await eventually('an error', () => app.errors.size > 0);
  const codes = [...app.errors.keys()];
  await app.stop();
  const status = await alpha.status();
  lab.say(`the application gets ${codes.join(', ')}; alpha says: ${localErrors(status)}`);
  expect(codes).toEqual(['ENOSPC']);
  await check(app, alpha);
  lab.say('everything that was acknowledged is read, wherever it is');
  await alpha.kill();
  await beta.hastctl('role primary data');
  await check(app, beta);
  lab.say('alpha is off and beta primary: everything that was acknowledged is there');
});

/** Thinly provisioned: the room for its blocks is found when they are written, or not. */
const THIN = '/run/thin';

const SECONDARY_OPTIONS = {
  ...OPTIONS,
  alongside: true,
  resources: ['broken', 'full'],
  local: (host: Host, resource: string) =>
    host.name === 'beta' && resource === 'full' ? `${THIN}/full` : insertedPath(resource),
};

story('disk: writes that fail on the secondary, which is broken or full', SECONDARY_OPTIONS, async (lab) => {
  const { alpha, beta } = lab;
  await lab.boot();
  const broken = await insertDisks(lab, 'broken');
  await disk(alpha, 'full').insert();
  await beta.run(`mkdir ${THIN} && mount -t tmpfs -o size=${2 * COMPONENT_BYTES} tmpfs ${THIN}`);
  await beta.run(`truncate -s ${COMPONENT_BYTES} ${THIN}/full`);
  await lab.formPair();
  const apps = await Promise.all(lab.resources.map((resource) => startWork(lab, alpha, resource)));

  broken.beta.failWrites(true);
  await beta.try(`cat /dev/zero >${THIN}/balloon`);
  lab.say('of one resource every write on beta fails, of the other there is no space left on beta');
  for (const resource of lab.resources) {
    const options = { resource };
    const status = await alpha.until('degraded', (now) => now.status === 'degraded', options);
    expect(status.counters.remoteErrors).toBeGreaterThan(0);
    await alpha.until('dirty', ({ counters }) => counters.dirty > 0, options);
  }
  for (const app of apps) {
    await app.progress(200);
    expect(app.errors.size).toBe(0);
  }
  const [why] = /Remote request failed .*/.exec(alpha.hastd.log) ?? [];
  expect(why).toBeDefined();
  lab.say(`the applications do not notice. alpha says: degraded, bytes are dirty, "${why ?? ''}"`);

  broken.beta.failWrites(false);
  await beta.run(`rm ${THIN}/balloon`);
  lab.say('the disk is repaired, and there is space again');
  for (const [i, app] of apps.entries()) {
    await app.progress(50);
    await app.stop();
    await lab.inSync(alpha, lab.resources[i]);
  }
  lab.say('nobody had to do anything: beta was tried again, and got what it lacked');
  await expectEqualCopies(lab, broken, 'broken');
  await alpha.kill();
  await beta.hastctl('role primary all');
  for (const [i, app] of apps.entries()) await check(app, beta, lab.resources[i]);
  lab.say('alpha is off and beta primary: everything that was acknowledged is there');
});

story(
  'disk: stuck, on the secondary and on the primary',
  { ...OPTIONS, ...MODE_LAB_OPTIONS, alongside: true },
  async (lab) => {
    const { alpha, beta } = lab;
    await lab.boot();
    const sites = await Promise.all(
      MODES.map(async (mode) => ({
        mode,
        resource: resourceOf(mode),
        disks: await insertDisks(lab, resourceOf(mode)),
      })),
    );
    await lab.formPair();
    const works = await Promise.all(
      sites.map(async (site) => ({ ...site, app: await startWork(lab, alpha, site.resource) })),
    );

    await Promise.all(works.map(({ disks }) => disks.beta.stick()));
    lab.say('the disks of beta answer nothing any more');
    for (const { mode, resource, app } of works) {
      await alpha.until('degraded', ({ status }) => status === 'degraded', { resource });
      await app.progress(100);
      expect(app.errors.size).toBe(0);
      lab.say(
        `${mode}: works on without beta; no write failed, the longest took ${app.longestMs.toFixed(0)} ms`,
      );
    }
    await Promise.all(works.map(({ disks }) => disks.beta.loosen()));
    lab.say('the disks of beta answer again');
    for (const { resource } of works) await lab.inSync(alpha, resource);
    lab.say('nobody had to do anything: all are in sync');

    await Promise.all(works.map(({ disks }) => disks.alpha.stick()));
    lab.say('the disks of alpha, the primary, answer nothing any more');
    expect(await alpha.hastctl('status')).toMatch(/data-fullsync.*primary/);
    lab.say('hastctl does not wait for them. The operator gives alpha up');
    await Promise.all([alpha.kill(), ...works.map(({ app }) => app.die())]);
    await beta.hastctl('role primary all');
    for (const { mode, resource, app } of works) {
      const promised = survivesPrimary(mode);
      const content = await contentOf(await beta.device(resource), BLOCKS);
      const { violations, lostBlocks } = app.ledger.judge(content, promised);
      expect(violations).toEqual([]);
      lab.say(
        `${mode}: everything ${promised} is on beta; of the last acknowledged writes, ${lostBlocks} blocks are not`,
      );
    }
  },
);
