/** The interface of the handbook's script: `master` and `slave`, and what CARP says about the event. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../e2e/cluster.js';
import { Stage } from './stage.js';

const SCRIPT = 'freebsd/carp-hast-switch';

let stage: Stage;

beforeEach(() => {
  stage = new Stage('FreeBSD');
  stage.resource('r0', {});
  stage.append('device_of() { echo /dev/null; }; attach=none');
});

afterEach(() => {
  stage.close();
});

/** em0 has virtual hosts 1, in this state, and 11. */
function carpIs(state: string): void {
  const line = (vhid: number, now: string): string => `\tcarp: ${now} vhid ${vhid} advbase 1 advskew 0\n`;
  stage.fact('ifconfig-em0', `em0: flags=8943<UP>\n${line(11, 'BACKUP')}${line(1, state)}`);
}

it('master promotes, slave demotes; both may be repeated', async () => {
  for (const _ of [1, 2]) expect((await stage.run(SCRIPT, 'master')).status).toBe(0);
  expect([stage.role(), stage.mounts.length]).toEqual(['primary', 1]);
  for (const _ of [1, 2]) expect((await stage.run(SCRIPT, 'slave')).status).toBe(0);
  expect([stage.role(), stage.mounts.length]).toEqual(['secondary', 0]);
  expect(stage.calls()).toEqual([
    'hastctl role primary r0',
    'fsck_ufs -p -y /dev/null',
    'mount -t ufs /dev/null mnt/r0',
    'umount -f mnt/r0',
    'hastctl role secondary r0',
  ]);
  expect(stage.read('log')).toContain('local0.notice r0: role primary');
});

it('fails when the promotion fails', async () => {
  stage.resource('r0', { metadata: 'incomplete' });
  expect((await stage.run(SCRIPT, 'master')).status).toBe(69);
});

it('follows an event that CARP confirms', async () => {
  carpIs('MASTER');
  expect((await stage.run(SCRIPT, 'master', '1@em0')).status).toBe(0);
  carpIs('BACKUP');
  expect((await stage.run(SCRIPT, 'slave', '1@em0')).status).toBe(0);
  expect(stage.role()).toBe('secondary');
});

it.each([
  ['master', 'BACKUP', 'master: ignored, because 1@em0 is BACKUP'],
  ['master', 'INIT', 'master: ignored, because 1@em0 is INIT'],
  ['slave', 'MASTER', 'slave: ignored, because 1@em0 is MASTER'],
])('ignores %s when CARP is %s meanwhile', async (event, now, text) => {
  carpIs(now);
  const { status, stderr } = await stage.run(SCRIPT, event, '1@em0');
  expect(status).toBe(69);
  expect(stderr).toContain(text);
  expect(stage.calls()).toEqual([]);
});

it('a virtual host that is gone is not master', async () => {
  expect((await stage.run(SCRIPT, 'master', '1@em0')).stderr).toContain('1@em0 is not there');
  expect((await stage.run(SCRIPT, 'slave', '1@em0')).status).toBe(0);
});

it('-b goes on in the background, so that devd hears of the next event', async () => {
  carpIs('MASTER');
  stage.fact('fsck-hangs');
  const up = stage.start(SCRIPT, '-b', 'master', '1@em0');
  expect(await up.exited).toBe(0);
  await eventually('fsck', () => stage.is('fsck-runs'));
  carpIs('BACKUP');
  expect((await stage.run(SCRIPT, 'slave', '1@em0')).status).toBe(0);
  expect((await up.ended).stderr).toContain('carp-hast-switch: given up');
  expect(stage.role()).toBe('secondary');
});

it.each([[[]], [['primary']], [['master', '1@em0', 'more']]])(
  '%j is answered with the usage',
  async (args) => {
    const { status, stderr } = await stage.run(SCRIPT, ...args);
    expect(status).toBe(64);
    expect(stderr).toContain('usage: carp-hast-switch');
  },
);
