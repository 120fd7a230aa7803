/**
 * What befalls processes: they are killed at any moment, asked a thousand questions, reloaded and sent from role to role,
 * all under load. Nothing acknowledged is lost, and nobody has to start anything but what was killed as a whole.
 */
import { expect } from 'vitest';
import { ask } from '../../cli/hastctl/control-client.js';
import type { Role } from '../../core/resource/types.js';
import { connectNbd } from '../../native/nbd/client.js';
import { Random } from '../../sim/random.js';
import { eventually } from '../e2e/cluster.js';
import { Application, contentOf } from './faults/application.js';
import { BLOCK_BYTES } from './faults/ledger.js';
import { seedOf } from './faults/seed.js';
import type { Host } from './lab/host.js';
import type { Lab } from './lab/lab.js';
import { story } from './lab/story.js';

const MIB = 1 << 20;

const FIO_OPTIONS = {
  settings: 'timeout 5\nreplication memsync\nchecksum crc32',
  componentBytes: 64 * MIB,
  needs: ['fio', 'nbdkit'],
  limitMs: 180_000,
};
/** As long as fio works, but not for ever. */
const MOST_KILLS = 14;
const MAX_REST_MS = 2_500;

/** About 25 s of random writes, which are read back and compared at the end. */
const FIO = [
  'fio --name=v --ioengine=nbd --uri=nbd+unix:///?socket=/run/retry.sock',
  '--rw=randwrite --bsrange=4k-64k --iodepth=16 --size=48m --rate=2m --fsync=64',
  '--verify=crc32c --verify_fatal=1 --do_verify=1 --verify_state_save=0',
].join(' ');

/** A client that connects again and repeats what was not answered. */
const RECONNECTING = [
  'nbdkit --foreground --unix /run/retry.sock --filter=retry nbd socket=/run/hast/data',
  'retries=60 retry-delay=1 retry-exponential=no',
].join(' ');

interface Killing {
  readonly what: string;
  perform(lab: Lab): Promise<void>;
}

async function killWorker(host: Host): Promise<void> {
  const { workerpid } = await host.status();
  if (workerpid !== 0) await host.run(`kill -9 ${workerpid}`);
}

/** `pids` are those of a shell; afterwards somebody starts hastd and gives it the role it had. */
async function killDaemon(host: Host, role: Role, pids: string): Promise<void> {
  const { hastd } = host;
  await host.run(`kill -9 ${pids}`);
  await hastd.ended();
  await host.startHastd();
  await host.hastctl(`role ${role} data`);
}

const DAEMON = '$(cat /run/hastd.pid)';
const WORKER = '$(pgrep -P $(cat /run/hastd.pid))';

const KILLINGS: readonly Killing[] = [
  { what: 'the worker of the primary', perform: ({ alpha }) => killWorker(alpha) },
  { what: 'the worker of the secondary', perform: ({ beta }) => killWorker(beta) },
  { what: 'the daemon of the primary', perform: ({ alpha }) => killDaemon(alpha, 'primary', DAEMON) },
  { what: 'the daemon of the secondary', perform: ({ beta }) => killDaemon(beta, 'secondary', DAEMON) },
  {
    what: 'the daemon and the worker of the primary',
    perform: ({ alpha }) => killDaemon(alpha, 'primary', `${DAEMON} ${WORKER}`),
  },
];

story('daemon: kill -9 at any moment, under fio with a reconnecting client', FIO_OPTIONS, async (lab) => {
  await lab.startPair();
  const { alpha, beta } = lab;
  const random = new Random(seedOf(lab), 'kills');
  alpha.start('nbdkit', RECONNECTING);
  await eventually('nbdkit to listen', async () => (await alpha.try('test -S /run/retry.sock')).status === 0);
  const fio = alpha.start('fio', FIO);
  await alpha.until('fio to write', ({ counters }) => counters.writes > 50);
  lab.say('fio writes');
  let kills = 0;
  while (fio.isRunning && kills < MOST_KILLS) {
    await new Promise((resolve) => setTimeout(resolve, random.below(MAX_REST_MS)));
    const killing = KILLINGS[kills < KILLINGS.length ? kills : random.below(KILLINGS.length)];
    kills++;
    await killing?.perform(lab);
    lab.say(`kill -9 of ${killing?.what ?? ''}`);
    await alpha.until('a worker', ({ workerpid }) => workerpid !== 0);
  }
  expect(kills).toBeGreaterThan(KILLINGS.length);
  expect(await fio.ended(), fio.log).toBe(0);
  lab.say('fio has read back and verified everything');
  await lab.inSync(alpha);
  expect(await alpha.digest()).toBe(await beta.digest());
  lab.say('both copies are equal');
});

const BLOCKS = (16 * MIB) / BLOCK_BYTES;
const QUESTIONS = 48;
const RELOADS = 200;
/** Everything that a reload may change while the session goes on. */
const SETTINGS = [
  'timeout 5\nreplication memsync\nchecksum crc32',
  'timeout 6\nreplication async\ncompression lzf',
  'timeout 7\nreplication fullsync\nchecksum sha256',
];
const [FIRST_SETTINGS = ''] = SETTINGS;

story('daemon: many questions and many reloads, under load', { settings: FIRST_SETTINGS }, async (lab) => {
  await lab.startPair();
  const { alpha, beta } = lab;
  const app = new Application({
    blocks: BLOCKS,
    random: new Random(seedOf(lab), 'application'),
    connect: () => alpha.device(),
  });
  app.start();
  let asked = 0;
  const questioner = async (host: Host, command: string, answer: RegExp): Promise<void> => {
    for (let i = 0; i < QUESTIONS / 4; i++) {
      expect(await host.hastctl(command)).toMatch(answer);
      asked++;
    }
  };
  await Promise.all([
    questioner(alpha, 'status', /data\tcomplete primary/),
    questioner(alpha, 'list data', /role: primary/),
    questioner(alpha, 'status --json', /"status": "complete"/),
    questioner(beta, 'list', /role: secondary/),
  ]);
  lab.say(`hastctl was started ${asked} times, and answered; meanwhile ${app.writes} writes`);

  const before = app.writes;
  for (let i = 1; i <= RELOADS; i++) {
    lab.configure(SETTINGS[i % SETTINGS.length] ?? '');
    for (const host of lab.hosts) host.hastd.signal('SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  lab.configure(FIRST_SETTINGS);
  for (const host of lab.hosts) host.hastd.signal('SIGHUP');
  await alpha.until('the last settings', ({ replication }) => replication === 'memsync');
  await app.progress(100);
  lab.say(`hast.conf changed and SIGHUP was sent ${RELOADS} times; meanwhile ${app.writes - before} writes`);
  await app.stop();
  expect(app.errors.size).toBe(0);
  await lab.inSync(alpha);
  const content = await contentOf(await alpha.device(), BLOCKS);
  expect(app.ledger.judge(content, 'acknowledged')).toEqual({ violations: [], lostBlocks: 0 });
  expect(await alpha.digest()).toBe(await beta.digest());
  lab.say('no write failed, everything is there, and both copies are equal');
});

const RESOURCES = Array.from({ length: 16 }, (_, i) => `disk${i}`);
/** Each is two changes of role for each resource: 224 in all. */
const SWAPS = 7;
const SMALL_BLOCKS = MIB / BLOCK_BYTES;
const MANY_OPTIONS = {
  settings: 'replication memsync',
  resources: RESOURCES,
  componentBytes: 4 * MIB,
  limitMs: 240_000,
};

interface Tenant {
  readonly resource: string;
  readonly app: Application;
  primary: Host;
}

async function giveRole(host: Host, role: Role, resource: string): Promise<void> {
  await ask(host.inside('/run/hastctl'), { kind: 'setrole', role, force: false, names: [resource] });
}

story('daemon: 16 resources, and 224 changes of role under load', MANY_OPTIONS, async (lab) => {
  await lab.startPair();
  const seed = seedOf(lab);
  const tenants = RESOURCES.map((resource): Tenant => {
    const app = new Application({
      blocks: SMALL_BLOCKS,
      random: new Random(seed, resource),
      connect: () => connectNbd({ path: tenant.primary.inside(tenant.primary.socket(resource)) }),
      inFlight: 2,
      restMs: 100,
    });
    const tenant: Tenant = { resource, app, primary: lab.alpha };
    return tenant;
  });
  for (const { app } of tenants) app.start();
  let changes = 0;
  const swap = async (tenant: Tenant): Promise<void> => {
    const { resource, app } = tenant;
    const old = tenant.primary;
    // Whoever promotes a node that lacks something wants a split-brain.
    await lab.inSync(old, resource);
    tenant.primary = lab.other(old);
    await giveRole(old, 'secondary', resource);
    await giveRole(tenant.primary, 'primary', resource);
    changes += 2;
    await app.progress(1);
  };
  for (let i = 1; i <= SWAPS; i++) {
    await Promise.all(tenants.map(swap));
    lab.say(`${changes} changes of role`);
  }
  for (const { resource, app, primary } of tenants) {
    await app.stop();
    await lab.inSync(primary, resource);
    const content = await contentOf(await primary.device(resource), SMALL_BLOCKS);
    expect(app.ledger.judge(content, 'acknowledged'), resource).toEqual({ violations: [], lostBlocks: 0 });
    expect(app.errors.size, resource).toBe(0);
    expect(await lab.alpha.digest(resource), resource).toBe(await lab.beta.digest(resource));
  }
  const writes = tenants.reduce((sum, { app }) => sum + app.writes, 0);
  lab.say(`no write of ${writes} failed or is missing, and all 16 pairs of copies are equal`);
});
