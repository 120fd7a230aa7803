/**
 * Power failures, below a real hastd: the disks forget what was not flushed. What was acknowledged and flushed is there in
 * every mode; what memsync and async lose is what their definition allows (core/spec/replication.md section 14.1), and is
 * reported.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ReplicationMode } from '../../core/config/types.js';
import { Random } from '../../sim/random.js';
import { Application, contentOf } from './faults/application.js';
import { ComponentImage, silentDifferences } from './faults/component-image.js';
import { insertedPath } from './faults/inserted-disk.js';
import { BLOCK_BYTES } from './faults/ledger.js';
import { MODE_LAB_OPTIONS, MODES, resourceOf, survivesPrimary } from './faults/modes.js';
import { RecordingDisk } from './faults/recording-disk.js';
import { seedOf } from './faults/seed.js';
import { Moment, Timeline } from './faults/timeline.js';
import type { Survivors } from './faults/volatile-disk.js';
import type { Host } from './lab/host.js';
import { Lab } from './lab/lab.js';
import type { HostName } from './lab/network.js';
import { story } from './lab/story.js';

const MIB = 1 << 20;
const MEDIA_BYTES = 6 * MIB;
const BLOCKS = (4 * MIB) / BLOCK_BYTES;
/** Small extents and few of them kept dirty: bits come and go all the time. */
const CREATE_OPTIONS = '-e 65536 -k 4';

const OPTIONS = {
  ...MODE_LAB_OPTIONS,
  settings: 'timeout 5',
  componentBytes: MEDIA_BYTES,
  local: (_host: Host, resource: string) => insertedPath(resource),
};

/** A resource on recording disks, and its application. */
interface Site {
  readonly mode: ReplicationMode;
  readonly resource: string;
  readonly timeline: Timeline;
  readonly disks: Readonly<Record<HostName, RecordingDisk>>;
  readonly app: Application;
  /** Where the application goes for its data. */
  primary: Host;
}

async function startSites(lab: Lab): Promise<readonly Site[]> {
  const { alpha, beta } = lab;
  await lab.boot();
  const seed = seedOf(lab);
  const sites = MODES.map((mode): Site => {
    const resource = resourceOf(mode);
    const timeline = new Timeline();
    const disk = (host: Host): RecordingDisk =>
      new RecordingDisk(host, resource, MEDIA_BYTES, timeline.recorder(host.hostName));
    const app = new Application({
      blocks: BLOCKS,
      random: new Random(seed, resource),
      connect: () => site.primary.device(resource),
      witness: timeline.witness,
    });
    const disks = { alpha: disk(alpha), beta: disk(beta) };
    const site: Site = { mode, resource, timeline, disks, app, primary: alpha };
    return site;
  });
  await Promise.all(sites.flatMap(({ disks }) => [disks.alpha.insert(), disks.beta.insert()]));
  await lab.formPair(CREATE_OPTIONS);
  for (const { app } of sites) app.start();
  return sites;
}

const SURVIVORS: readonly Survivors[] = ['none', 'all', 'some sectors', 'some writes'];
const MOMENTS_PER_MODE = 100;
const REVIVED_PER_MODE = 4;

/** Two components as they are found after the power has failed on both hosts at once. */
interface Wreck {
  readonly resource: string;
  readonly alpha: ComponentImage;
  readonly beta: ComponentImage;
  /** What is on a device made of it must pass. */
  readonly judge: (content: Uint8Array) => void;
}

story(
  'power: both hosts lose it at the same moment, at any moment',
  { ...OPTIONS, limitMs: 240_000 },
  async (lab) => {
    const sites = await startSites(lab);
    await Promise.all(sites.map(({ app }) => app.progress(500)));
    await Promise.all(sites.map(({ app }) => app.stop()));
    const random = new Random(seedOf(lab), 'wrecks');
    const wrecks = sites.flatMap((site) => {
      const { mode, app, timeline } = site;
      const { lostBlocks, kept } = judgeMoments(site, random);
      lab.say(
        `${mode}: ${app.writes} writes, ${app.flushes} flushes, then the power failed at ${MOMENTS_PER_MODE} of ` +
          `${timeline.length} moments: all that was flushed is on both hosts, and where they differ a map says so. ` +
          `Acknowledged, not flushed, and gone: at most ${lostBlocks} blocks`,
      );
      return kept;
    });
    await Promise.all(lab.hosts.map((host) => host.kill()));
    await revive(wrecks, lab);
  },
);

/** Goes through moments of a recording. Some of the wrecks are kept. */
function judgeMoments(
  site: Site,
  random: Random,
): { readonly lostBlocks: number; readonly kept: readonly Wreck[] } {
  const { mode, timeline } = site;
  const moment = momentAt(timeline, 0);
  const kept: Wreck[] = [];
  let lostBlocks = 0;
  for (const [i, events] of chooseMoments(timeline, random).entries()) {
    moment.advanceTo(events);
    const survivors = SURVIVORS[random.below(SURVIVORS.length)] ?? 'none';
    const alpha = new ComponentImage(moment.disks.alpha.crashImage(survivors, random));
    const beta = new ComponentImage(moment.disks.beta.crashImage(survivors, random));
    const where = `${mode}, after event ${events}, surviving: ${survivors}`;
    for (const image of [alpha, beta]) {
      const finding = moment.ledger.judge(image.userData, 'flushed');
      expect(finding.violations, where).toEqual([]);
      lostBlocks = Math.max(lostBlocks, finding.lostBlocks);
    }
    expect(silentDifferences(alpha, beta), where).toEqual([]);
    if (i % (MOMENTS_PER_MODE / REVIVED_PER_MODE) !== 0) continue;
    const { ledger } = momentAt(timeline, events);
    kept.push({
      resource: `${site.resource}-${events}`,
      alpha,
      beta,
      judge: (content) => {
        expect(ledger.judge(content, 'flushed').violations, where).toEqual([]);
      },
    });
  }
  return { lostBlocks, kept };
}

function momentAt(timeline: Timeline, events: number): Moment {
  const moment = new Moment(timeline, MEDIA_BYTES, BLOCKS);
  moment.advanceTo(events);
  return moment;
}

/** Moments in order, half of them right after a flush; not before both copies exist. */
function chooseMoments(timeline: Timeline, random: Random): readonly number[] {
  const first = timeline.flushes[0] ?? 0;
  const chosen = Array.from({ length: MOMENTS_PER_MODE }, (_, i) =>
    i % 2 === 0
      ? (timeline.flushes[random.below(timeline.flushes.length)] ?? first)
      : first + random.below(timeline.length - first),
  );
  return chosen.sort((a, b) => a - b);
}

function userDataOf(host: Host, resource: string): Uint8Array {
  return new ComponentImage(readFileSync(host.component(resource))).userData;
}

/** Real daemons on the wrecks, all at once: half of them with alpha as primary again, half with beta. */
async function revive(wrecks: readonly Wreck[], teller: Lab): Promise<void> {
  const resources = wrecks.map(({ resource }) => resource);
  const options = { resources, componentBytes: MEDIA_BYTES, settings: 'timeout 5' };
  const lab = new Lab(options, (line) => {
    teller.say(line);
  });
  let failed = true;
  try {
    await lab.boot();
    for (const { resource, alpha, beta } of wrecks) {
      writeFileSync(lab.alpha.component(resource), alpha.renamed(resource));
      writeFileSync(lab.beta.component(resource), beta.renamed(resource));
    }
    await Promise.all(lab.hosts.map((host) => host.startHastd()));
    const primaryOf = (index: number): Host => (index % 2 === 0 ? lab.alpha : lab.beta);
    const roles = resources.flatMap((resource, i) => [
      primaryOf(i).hastctl(`role primary ${resource}`),
      lab.other(primaryOf(i)).hastctl(`role secondary ${resource}`),
    ]);
    await Promise.all(roles);
    for (const [i, { resource, judge }] of wrecks.entries()) {
      judge(await contentOf(await primaryOf(i).device(resource), BLOCKS));
      await lab.inSync(primaryOf(i), resource);
      const [alpha, beta] = [userDataOf(lab.alpha, resource), userDataOf(lab.beta, resource)];
      judge(alpha);
      expect(Buffer.compare(alpha, beta)).toBe(0);
    }
    teller.say(
      `${wrecks.length} of these pairs were brought back to life, alpha or beta as primary: flushed data is there, both copies are equal`,
    );
    failed = false;
  } finally {
    await lab.close(failed);
  }
}

story(
  'power: the secondary loses it, then the primary, under load',
  { ...OPTIONS, limitMs: 240_000 },
  async (lab) => {
    const { alpha, beta } = lab;
    const sites = await startSites(lab);
    const random = new Random(seedOf(lab), 'failures');
    const everyApp = async (act: (app: Application) => Promise<void>): Promise<void> => {
      await Promise.all(sites.map(({ app }) => act(app)));
    };
    await everyApp((app) => app.progress(200));
    await beta.loseMains();
    for (const { disks } of sites) disks.beta.powerFails('some sectors', random);
    lab.say('beta, the secondary, lost its power, and its disks what they had not flushed');
    await everyApp((app) => app.progress(50));
    await returnAsSecondary(beta, sites);
    await everyApp((app) => app.progress(50));
    await everyApp((app) => app.stop());
    for (const { resource } of sites) await lab.inSync(alpha, resource);
    sites.forEach(expectEqualCopies);
    lab.say('it returned, got what it had missed and what it had lost, and the copies are equal');

    await everyApp(async (app) => {
      app.start();
      await app.progress(50);
    });
    await lab.network.disconnect('alpha');
    await Promise.all(sites.filter(({ mode }) => mode === 'async').map(({ app }) => app.progress(20)));
    await Promise.all([alpha.kill(), everyApp((app) => app.die())]);
    for (const { disks } of sites) disks.alpha.powerFails('some sectors', random);
    lab.say('alpha, the primary, lost its network, then its power, and its disks what they had not flushed');
    await beta.hastctl('role primary all');
    const losses = new Map<string, number>();
    for (const site of sites) {
      const { mode, resource, app } = site;
      const promised = survivesPrimary(mode);
      const content = await contentOf(await beta.device(resource), BLOCKS);
      const { violations, lostBlocks } = app.ledger.judge(content, promised);
      expect(violations, mode).toEqual([]);
      losses.set(resource, lostBlocks);
      lab.say(
        `${mode}: beta, now primary, has everything that was ${promised}; it lacks ${lostBlocks} acknowledged blocks`,
      );
      app.ledger.forgive();
      site.primary = beta;
      app.start();
      await app.progress(20);
    }
    await returnAsSecondary(alpha, sites);
    await everyApp((app) => app.stop());
    for (const { resource } of sites) await lab.inSync(beta, resource);
    sites.forEach(expectEqualCopies);
    lab.say('alpha returned as secondary, and the copies are equal');
    for (const [resource, lostBlocks] of losses) {
      const report = alpha.hastd.log
        .split('\n')
        .find((line) => line.includes(`[${resource}]`) && line.includes('are lost'));
      lab.say(`alpha about ${resource}: ${report ?? 'nothing'}`);
      if (lostBlocks > 0) expect(report).toBeDefined();
    }
  },
);

async function returnAsSecondary(host: Host, sites: readonly Site[]): Promise<void> {
  await host.boot();
  await Promise.all(sites.map(({ disks }) => disks[host.hostName].insert()));
  await host.startHastd();
  await host.hastctl('role secondary all');
}

function expectEqualCopies({ disks, mode }: Site): void {
  const [alpha, beta] = [disks.alpha, disks.beta].map(
    (disk) => new ComponentImage(disk.content.visible).userData,
  );
  expect(Buffer.compare(alpha ?? Buffer.of(0), beta ?? Buffer.of(1)), mode).toBe(0);
}
