/**
 * The handbook's story, told by the scripts in cli/share: an address and a file system that move to the other host when
 * a host dies, and a database on it whose client outside keeps a journal of what was confirmed to it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { eventually } from '../e2e/cluster.js';
import type { Host } from './lab/host.js';
import type { Lab } from './lab/lab.js';
import type { Program } from './lab/machine.js';
import { ADDRESS } from './lab/network.js';
import { story } from './lab/story.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const LEDGER = join(PROJECT, 'test/system/failover/ledger.py');
const CLERK = fileURLToPath(new URL('failover/clerk.js', import.meta.url));
const VIRTUAL_ADDRESS = '10.55.0.100';
const PORT = 7000;
const DATABASE = '/run/data/data/ledger.db';
const ROUNDS = process.env['CI'] === 'true' ? 5 : 2;

/** What administrators write to /etc/hast-failover.conf, the same on both hosts. */
const SETTINGS = `
resources=data
attach=nbdfuse
fstype=ext4
device_dir=/run/dev-hast
mount_dir=/run/data
vip_prefix=24
ucarp_interface=lan
ucarp_nodes="${ADDRESS.alpha} ${ADDRESS.beta}"
ucarp_address=${VIRTUAL_ADDRESS}
ucarp_vhid=7
ucarp_passfile=/etc/ucarp-hast.password
ucarp_flags="--advbase=1 --deadratio=2 --ignoreifstate"
start_services() {
  setsid python3 ${LEDGER} serve ${DATABASE} ${VIRTUAL_ADDRESS} ${PORT} >>/run/ledger.log 2>&1 &
}
stop_services() {
  pkill -f 'ledger.py serve' || :
}
`;

/** A host and what people installed on it. */
async function startUcarp(lab: Lab, host: Host): Promise<Program> {
  writeFileSync(join(lab.folder, 'hast-failover.conf'), SETTINGS);
  await host.run(
    [
      `ln -sf ${lab.folder}/hast-failover.conf /etc/hast-failover.conf`,
      '(umask 077; echo secret >/etc/ucarp-hast.password)',
    ].join(' && '),
  );
  return host.start('ucarp', join(PROJECT, 'cli/share/ucarp/ucarp-hast'));
}

/** When what happened after a host had died, in seconds since the story began. */
interface Failover {
  readonly killed: number;
  readonly detected: number;
  readonly promoted: number;
  readonly attached: number;
  readonly checked: number;
  readonly mounted: number;
  readonly wrote: number;
}

function told({ killed, detected, promoted, attached, checked, mounted, wrote }: Failover): string {
  const parts = {
    detection: detected - killed,
    promotion: promoted - detected,
    'block device': attached - promoted,
    fsck: checked - attached,
    mount: mounted - checked,
    'ledger and client': wrote - mounted,
  };
  const texts = Object.entries(parts).map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`);
  return `${(wrote - killed).toFixed(2)} s from kill to first new write (${texts.join(', ')})`;
}

/** What a host's ucarp and its scripts say on the way to serving, after `killed`. */
async function followed(killed: number, ucarp: Program, clerk: Program): Promise<Failover> {
  const when = async (pattern: RegExp): Promise<number> => (await ucarp.line(pattern, killed)).atSeconds;
  const detected = await when(/state: MASTER/);
  return {
    killed,
    detected,
    promoted: await when(/its device is there/),
    attached: await when(/attached as/),
    checked: await when(/fsck\.ext4: .*: clean,/),
    mounted: await when(/mounted on/),
    wrote: (await clerk.line(/^confirmed/, await when(/this node serves/))).atSeconds,
  };
}

/** Nothing that was confirmed to the client is missing in the ledger of `host`. */
async function expectComplete(host: Host, clerk: Program): Promise<number> {
  const confirmed = clerk.log.match(/\d+/g) ?? [];
  const entries = new Set((await host.run(`python3 ${LEDGER} list ${DATABASE}`)).split('\n'));
  expect(confirmed.filter((number) => !entries.has(number))).toEqual([]);
  return confirmed.length;
}

async function confirmedMore(clerk: Program, count: number): Promise<void> {
  const before = clerk.lines.length;
  await eventually(`${count} more entries`, () => clerk.lines.length >= before + count);
}

story(
  `failover: ucarp moves a database to the other host, ${ROUNDS} times, and back`,
  {
    needs: ['ucarp', 'python3', 'mkfs.ext4', 'fsck.ext4', 'fuser'],
    limitMs: 120_000 + ROUNDS * 90_000,
  },
  async (lab) => {
    const { alpha, beta } = lab;
    await lab.startPair();
    const device = await alpha.attach();
    await alpha.run(`mkfs.ext4 -q ${device.path}`);
    await device.detach();
    lab.say('there is an ext4 file system on the device');
    let master = await startUcarp(lab, alpha);
    await master.line(/this node serves/, 0);
    const backup = await startUcarp(lab, beta);
    await backup.line(/this node stands by/, 0);
    await lab.inSync(alpha);
    lab.say('ucarp runs on both hosts; alpha has the address, the file system, the ledger');
    const clerk = lab.outside.start('clerk', `${process.execPath} ${CLERK} ${VIRTUAL_ADDRESS} ${PORT}`);
    for (let round = 1; round <= ROUNDS; round++) {
      await confirmedMore(clerk, 50);
      lab.say(`round ${round}: a client outside makes entries; KILL to everything on alpha`);
      const killed = lab.now();
      await alpha.kill();
      const failover = await followed(killed, backup, clerk);
      lab.say(told(failover));
      lab.say(`none of ${await expectComplete(beta, clerk)} confirmed entries is missing on beta`);

      await alpha.boot();
      await alpha.startHastd();
      const returned = lab.now();
      master = await startUcarp(lab, alpha);
      await master.line(/this node stands by/, returned);
      await confirmedMore(clerk, 50);
      await lab.inSync(beta);
      lab.say('alpha is back, and in sync');

      const asked = lab.now();
      backup.signal('SIGUSR2');
      const back = await followed(asked, master, clerk);
      lab.say(`beta hands over to alpha: ${(back.wrote - asked).toFixed(2)} s`);
      await backup.line(/this node stands by/, asked);
      lab.say(`none of ${await expectComplete(alpha, clerk)} confirmed entries is missing on alpha`);
      await lab.inSync(alpha);
    }
    await confirmedMore(clerk, 50);
    lab.say('alpha falls silent: not even the end of its connections is heard');
    const silent = lab.now();
    await alpha.loseMains();
    lab.say(told(await followed(silent, backup, clerk)));
    lab.say(`none of ${await expectComplete(beta, clerk)} confirmed entries is missing on beta`);

    await backup.stop();
    await beta.until('stepped down', ({ role }) => role === 'secondary');
    await beta.hastctl('role primary data');
    const last = await beta.attach();
    await beta.run(`e2fsck -fn ${last.path}`);
    lab.say('the file system is clean');
  },
);
