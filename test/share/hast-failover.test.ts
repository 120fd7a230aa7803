/** hast-failover on a machine of pretences: what it does in which order, what it refuses, and what it leaves behind. */
import { spawn } from 'node:child_process';
import { lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../e2e/cluster.js';
import { Stage } from './stage.js';
import type { ScriptEnd } from './stage.js';

const SCRIPT = 'failover/hast-failover';

let stage: Stage;

function given(system: 'Linux' | 'FreeBSD' = 'Linux'): Stage {
  stage = new Stage(system);
  stage.resource('r0', {});
  return stage;
}

afterEach(() => {
  expect(stage.litter.filter((name) => name !== 'mounted.r0')).toEqual([]);
  stage.close();
});

async function promote(): Promise<ScriptEnd> {
  return stage.run(SCRIPT, 'primary', 'eth0', '10.0.0.9');
}

async function demote(): Promise<ScriptEnd> {
  return stage.run(SCRIPT, 'secondary', 'eth0', '10.0.0.9');
}

/** A promoted node, and nothing noted yet. */
async function givenPrimary(): Promise<void> {
  given();
  expect((await promote()).status).toBe(0);
  stage.calls();
}

/** Nothing of a promotion is left. */
function expectStandingBy(): void {
  expect(stage.role()).toBe('secondary');
  expect(stage.mounts).toEqual([]);
  expect(stage.is('dev/r0')).toBe(false);
}

describe('primary', () => {
  it('changes the role, attaches, checks, mounts, sets the address, starts services', async () => {
    given();
    stage.set('vip_prefix', '24');
    stage.append('start_services() { echo "services $1 $2" >>"$STAGE/calls"; }');
    const { status, stderr } = await promote();
    expect(stderr).toContain('r0: mounted on mnt/r0');
    expect(status).toBe(0);
    expect(stage.calls()).toEqual([
      'hastctl role primary r0',
      'attach r0',
      'fsck.ext4 -p /dev/null',
      'mount -t ext4 /dev/null mnt/r0',
      'ip address replace 10.0.0.9/24 dev eth0',
      'services eth0 10.0.0.9',
    ]);
    expect(stage.logged.at(0)).toBe('local0.notice r0: role primary');
    expect(stage.logged.at(-1)).toBe('local0.notice this node serves');
  });

  it('does nothing when all of it is so already', async () => {
    await givenPrimary();
    expect((await promote()).status).toBe(0);
    expect(stage.calls()).toEqual([]);
  });

  it('mends what is missing on a node that is primary', async () => {
    await givenPrimary();
    stage.fact('mounts');
    expect((await promote()).status).toBe(0);
    expect(stage.calls()).toEqual(['fsck.ext4 -p /dev/null', 'mount -t ext4 /dev/null mnt/r0']);
  });

  it('waits until the primary that is connected is gone', async () => {
    given().resource('r0', { worker: '99', questions: '4' });
    expect((await promote()).status).toBe(0);
    expect(stage.role()).toBe('primary');
  });

  it('refuses while another primary is connected', async () => {
    given().resource('r0', { worker: '99' });
    const { status, stderr } = await promote();
    expect(status).toBe(69);
    expect(stderr).toContain('err: r0: refused: another node is primary and connected, still after 1 s');
    expect(stage.logged).toContain(
      'local0.err r0: refused: another node is primary and connected, still after 1 s',
    );
    expect(stage.calls()).toEqual([]);
    expect(stage.role()).toBe('secondary');
  });

  it.each([
    ['incomplete', 'Local copy is incomplete.'],
    ['unreadable', 'Unable to open /dev/da0'],
  ])('refuses a copy whose metadata is %s', async (metadata, reason) => {
    given().resource('r0', { metadata });
    const { status, stderr } = await promote();
    expect(status).toBe(69);
    expect(stderr).toContain(reason);
    expect(stage.calls()).toEqual([]);
  });

  it('waits for hastd', async () => {
    given().fact('hastd-is-down');
    stage.set('hastd_timeout', '30');
    const { ended } = stage.start(SCRIPT, 'primary');
    await eventually('a question', () => stage.is('asked'));
    stage.remove('hastd-is-down');
    expect((await ended).status).toBe(0);
  });

  it('refuses when hastd does not answer in time', async () => {
    given().fact('hastd-is-down');
    const { status, stderr } = await promote();
    expect(status).toBe(69);
    expect(stderr).toContain('hastd does not answer: [ERROR] Unable to connect to hastd');
    expect(stage.calls()).toEqual([]);
  });

  it('fails for a resource that hastd does not know', async () => {
    given().set('resources', 'r9');
    const { status, stderr } = await promote();
    expect(status).toBe(1);
    expect(stderr).toContain('r9: hastd knows no such resource');
  });

  it('takes all back when no device appears', async () => {
    given().resource('r0', { deviceless: 'yes' });
    const { status, stderr } = await promote();
    expect(status).toBe(1);
    expect(stderr).toContain('r0: there is no device after 1 s');
    expectStandingBy();
  });

  it('takes all back at once when hastd withholds the device', async () => {
    given().resource('r0', { exported: 'false' });
    stage.set('device_timeout', '30');
    expect((await promote()).status).toBe(69);
    expectStandingBy();
  });

  it('takes all back when the device cannot be attached', async () => {
    given().fact('attach-fails');
    expect((await promote()).status).toBe(1);
    expectStandingBy();
  });

  it('takes all back when the role cannot be set', async () => {
    given().resource('r0', { role_status: '2' });
    const { status, stderr } = await promote();
    expect(status).toBe(1);
    expect(stderr).toContain('hastctl role primary r0: exit status 2');
    expectStandingBy();
  });

  it('mounts what fsck has corrected', async () => {
    given().fact('fsck-status', '1');
    expect((await promote()).status).toBe(0);
    expect(stage.mounts).toHaveLength(1);
  });

  it('does not mount what fsck cannot repair, and takes all back', async () => {
    given().fact('fsck-status', '4');
    const { status, stderr } = await promote();
    expect(status).toBe(1);
    expect(stderr).toContain('r0: fsck: exit status 4; repair the file system by hand');
    expectStandingBy();
  });

  it('takes all back when it cannot mount', async () => {
    given().fact('mount-fails', 'wrong fs type');
    const { status, stderr } = await promote();
    expect(status).toBe(1);
    expect(stderr).toContain('r0: mount: exit status 32: wrong fs type');
    expectStandingBy();
  });

  it('leaves alone what somebody else has mounted there', async () => {
    mkdirSync(given().path('mnt/r0'), { recursive: true });
    stage.fact('mounts', `/dev/sdz9 ${stage.path('mnt/r0')}\n`);
    const { status, stderr } = await promote();
    expect(status).toBe(1);
    expect(stderr).toContain('r0: mnt/r0 is in use: /dev/sdz9 is mounted there');
    expect(stage.role()).toBe('secondary');
    expect(stage.mounts).toHaveLength(1);
  });

  it('goes on with other resources when one fails, but starts no services', async () => {
    given().resource('r1', { metadata: 'incomplete' });
    stage.append('start_services() { echo "services" >>"$STAGE/calls"; }');
    expect((await promote()).status).toBe(69);
    expect([stage.role('r0'), stage.role('r1')]).toEqual(['primary', 'secondary']);
    expect(stage.calls()).not.toContain('services');
  });

  it('fails when services do not start', async () => {
    given().append('start_services() { return 3; }');
    const { status, stderr } = await promote();
    expect(status).toBe(1);
    expect(stderr).toContain('start_services: exit status 3');
  });

  it('names devices after providers, and does not fsck where nothing is to be mounted', async () => {
    given().resource('r0', { provider: 'shared' });
    stage.set('fstype', 'none');
    expect((await promote()).status).toBe(0);
    expect(stage.calls()).toEqual(['hastctl role primary r0', 'attach r0']);
    expect(stage.is('dev/shared')).toBe(true);
  });

  it('attaches with nbd-client', async () => {
    given().set('attach', 'nbd');
    stage.append('fstype=none; free_nbd() { echo /dev/nbd7; }');
    const client = spawn('sleep', ['60'], { argv0: stage.path('run/hast/r0') });
    stage.fact('nbd-client-pid', String(client.pid));
    expect((await promote()).status).toBe(0);
    expect(stage.calls()).toEqual([
      'hastctl role primary r0',
      'nbd-client -unix run/hast/r0 /dev/nbd7 -name r0 -persist -nonetlink',
      'nbd-client -c /dev/nbd7',
    ]);
    expect((await demote()).status).toBe(0);
    expect(stage.calls()).toEqual([
      'nbd-client -c /dev/nbd7',
      'nbd-client -d /dev/nbd7',
      'hastctl role secondary r0',
    ]);
    client.kill();
  });

  it('leaves alone an nbd device that somebody else uses by now', async () => {
    given().set('attach', 'nbd');
    symlinkSync('/dev/nbd7', stage.path('dev/r0'));
    stage.fact('nbd-client-pid', String(process.pid));
    expect((await demote()).status).toBe(0);
    expect(stage.calls()).toEqual(['nbd-client -c /dev/nbd7']);
    expect(lstatSync(stage.path('dev/r0'), { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('secondary', () => {
  it('undoes everything in the reverse order', async () => {
    await givenPrimary();
    stage.set('vip_prefix', '24');
    stage.fact('addresses', '2: eth0 inet 10.0.0.9/24 scope global eth0\n');
    stage.append('stop_services() { echo "services $1 $2" >>"$STAGE/calls"; }');
    expect((await demote()).status).toBe(0);
    expect(stage.calls()).toEqual([
      'services eth0 10.0.0.9',
      'ip address del 10.0.0.9/24 dev eth0',
      'sync -f mnt/r0',
      'umount mnt/r0',
      'detach r0',
      'hastctl role secondary r0',
    ]);
    expectStandingBy();
  });

  it('does nothing when all of it is so already', async () => {
    given().set('vip_prefix', '24');
    expect((await demote()).status).toBe(0);
    expect(stage.calls()).toEqual([]);
  });

  it('leaves init', async () => {
    given().resource('r0', { role: 'init' });
    expect((await demote()).status).toBe(0);
    expect(stage.role()).toBe('secondary');
  });

  it('ends whoever keeps the file system busy', async () => {
    await givenPrimary();
    stage.fact('umount-fails');
    expect((await demote()).status).toBe(0);
    const attempt = ['sync -f mnt/r0', 'umount mnt/r0'];
    expect(stage.calls().slice(0, 5)).toEqual([...attempt, 'fuser -k -M -m mnt/r0', ...attempt]);
    expectStandingBy();
  });

  it('stops being primary even when it cannot unmount, and says so', async () => {
    await givenPrimary();
    stage.fact('umount-fails');
    stage.fact('stubborn');
    const { status, stderr } = await demote();
    expect(status).toBe(1);
    expect(stderr).toContain('r0: mnt/r0 cannot be unmounted');
    expect(stage.role()).toBe('secondary');
  });

  it('unmounts and detaches when hastd is gone, and fails', async () => {
    await givenPrimary();
    stage.fact('hastd-is-down');
    stage.set('resources', 'r0');
    const { status, stderr } = await demote();
    expect(status).toBe(1);
    expect(stderr).toContain('hastd does not answer');
    expect(stage.mounts).toEqual([]);
    expect(stage.is('dev/r0')).toBe(false);
  });
});

describe('events that overtake each other', () => {
  it('a promotion gives up in the middle of fsck', async () => {
    given().fact('fsck-hangs');
    const up = stage.start(SCRIPT, 'primary');
    const fsck = await eventually('fsck', () => stage.read('fsck-runs').trim());
    expect((await demote()).status).toBe(0);
    expect((await up.ended).status).toBe(75);
    expect(() => process.kill(Number(fsck), 0)).toThrow('ESRCH');
    expectStandingBy();
  });

  it('a promotion gives up while it waits for the primary to go', async () => {
    given().resource('r0', { worker: '99' });
    stage.set('peer_timeout', '60');
    const up = stage.start(SCRIPT, 'primary');
    await eventually('a question', () => stage.is('asked'));
    expect((await demote()).status).toBe(0);
    const { status, stderr } = await up.ended;
    expect(status).toBe(75);
    expect(stderr).toContain('given up: meanwhile the opposite of primary is wanted');
    expectStandingBy();
  });

  it.each(['', 'r0'])('a promotion of "%s" gives up while it waits for hastd', async (resources) => {
    given().fact('hastd-is-down');
    stage.set('hastd_timeout', '60');
    stage.set('resources', resources);
    const up = stage.start(SCRIPT, 'primary');
    await eventually('a question', () => stage.is('asked'));
    const down = stage.start(SCRIPT, 'secondary');
    expect((await up.ended).status).toBe(75);
    stage.remove('hastd-is-down');
    expect((await down.ended).status).toBe(0);
    expectStandingBy();
  });

  it('the last of many is what counts', async () => {
    given();
    const runs = ['primary', 'secondary', 'primary', 'secondary', 'primary'];
    let last: Promise<ScriptEnd> | undefined;
    const all: Promise<ScriptEnd>[] = [];
    for (const role of runs) {
      const before = stage.read('state/wanted');
      last = stage.start(SCRIPT, role).ended;
      all.push(last);
      await eventually('its note', () => stage.read('state/wanted') !== before);
    }
    expect((await last)?.status).toBe(0);
    for (const { status } of await Promise.all(all)) expect([0, 75]).toContain(status);
    expect(stage.role()).toBe('primary');
    expect(stage.mounts).toHaveLength(1);
  });

  it('two at once do the work once', async () => {
    given();
    const [one, two] = await Promise.all([promote(), promote()]);
    expect([one.status, two.status]).toEqual([0, 0]);
    expect(stage.calls().filter((call) => call.startsWith('mount'))).toHaveLength(1);
  });

  it('waits for its turn no longer than lock_timeout', async () => {
    given().fact('fsck-hangs');
    const up = stage.start(SCRIPT, 'primary');
    await eventually('fsck', () => stage.is('fsck-runs'));
    stage.set('lock_timeout', '1');
    expect((await promote()).status).toBe(75);
    await demote();
    await up.ended;
  });

  it('-b returns at once and goes on', async () => {
    given().fact('fsck-hangs');
    const up = stage.start(SCRIPT, '-b', 'primary');
    expect(await up.exited).toBe(0);
    await eventually('fsck', () => stage.is('fsck-runs'));
    await demote();
    await up.ended;
    expectStandingBy();
  });
});

describe('in the background', () => {
  it('a refused promotion is tried again until it succeeds', async () => {
    given().resource('r0', { worker: '99' });
    stage.set('retry_interval', '0');
    const up = stage.start(SCRIPT, '-b', 'primary');
    await eventually('a refusal', () => stage.read('log').includes('refused'));
    stage.resource('r0', { worker: '0' });
    expect((await up.ended).stderr).toContain('this node serves');
    expect(stage.role()).toBe('primary');
  });

  it('and no longer than it is wanted', async () => {
    given().resource('r0', { worker: '99' });
    stage.set('retry_interval', '600');
    const up = stage.start(SCRIPT, '-b', 'primary');
    await eventually('a refusal', () => stage.read('log').includes('refused'));
    expect((await demote()).status).toBe(0);
    await up.ended;
    expectStandingBy();
  });

  it('one that failed is not', async () => {
    given().fact('fsck-status', '4');
    stage.set('retry_interval', '0');
    await stage.start(SCRIPT, '-b', 'primary').ended;
    expect(stage.calls().filter((call) => call.startsWith('fsck'))).toHaveLength(1);
    expectStandingBy();
  });
});

describe('the other systems', () => {
  it('UFS on FreeBSD: the device is there, fsck mends everything, unmounting is by force', async () => {
    given('FreeBSD').set('attach', 'none');
    stage.fact('dev/r0');
    stage.append('device_of() { echo /dev/null; }');
    expect((await promote()).status).toBe(0);
    expect((await demote()).status).toBe(0);
    expect(stage.calls()).toEqual([
      'hastctl role primary r0',
      'fsck_ufs -p -y /dev/null',
      'mount -t ufs /dev/null mnt/r0',
      'umount -f mnt/r0',
      'hastctl role secondary r0',
    ]);
  });

  it('ZFS: pools are imported and exported, once', async () => {
    given().set('fstype', 'zfs');
    for (const _ of [1, 2]) expect((await promote()).status).toBe(0);
    for (const _ of [1, 2]) expect((await demote()).status).toBe(0);
    expect(stage.calls()).toEqual([
      'hastctl role primary r0',
      'attach r0',
      'zpool import -f r0',
      'zpool export -f r0',
      'detach r0',
      'hastctl role secondary r0',
    ]);
  });

  it('ZFS: a pool that cannot be imported makes the node secondary again', async () => {
    given().set('fstype', 'zfs');
    stage.fact('zpool-fails', 'no such pool available');
    const { status, stderr } = await promote();
    expect(status).toBe(1);
    expect(stderr).toContain('zpool import r0: exit status 1: no such pool available');
    expectStandingBy();
  });
});

describe('the command line', () => {
  it.each([[[]], [['tertiary']], [['-x', 'primary']], [['primary', 'a', 'b', 'c']]])(
    '%j is answered with the usage',
    async (args) => {
      given();
      const { status, stderr } = await stage.run(SCRIPT, ...args);
      expect(status).toBe(64);
      expect(stderr).toContain('usage: hast-failover');
    },
  );

  it('settings that are not there are an error', async () => {
    given();
    const { status, stderr } = await stage.run(SCRIPT, '-c', '/nonexistent/settings', 'primary');
    expect(status).toBe(78);
    expect(stderr).toContain('cannot read the settings in /nonexistent/settings');
  });

  it('-n is the name that messages carry', async () => {
    given();
    expect((await stage.run(SCRIPT, '-n', 'ucarp-up', 'primary')).stderr).toContain(
      ' ucarp-up: r0: role primary',
    );
  });
});
