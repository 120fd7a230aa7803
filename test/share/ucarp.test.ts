/** What ucarp calls, and what calls ucarp. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../e2e/cluster.js';
import { SHARE, Stage } from './stage.js';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
  stage.resource('r0', {});
});

afterEach(() => {
  stage.close();
});

function nodeSettings(): void {
  stage.set('ucarp_interface', 'eth0');
  stage.set('ucarp_nodes', '10.0.0.1 10.0.0.2');
  stage.set('ucarp_address', '10.0.0.9');
  stage.set('ucarp_vhid', '7');
  stage.set('ucarp_passfile', '/etc/secret');
}

function addresses(...list: readonly string[]): void {
  stage.fact(
    'addresses',
    list.map((address) => `2: eth0    inet ${address}/24 scope global eth0\n`).join(''),
  );
}

it('vip-up returns at once and promotes in the background; vip-down waits until this node is secondary', async () => {
  stage.set('vip_prefix', '24');
  const up = stage.start('ucarp/vip-up', 'eth0', '10.0.0.9', stage.settingsPath);
  expect(await up.exited).toBe(0);
  expect((await up.ended).stderr).toContain(' ucarp-up: this node serves');
  expect(stage.calls().at(-1)).toBe('ip address replace 10.0.0.9/24 dev eth0');
  addresses('10.0.0.2', '10.0.0.9');
  const down = await stage.run('ucarp/vip-down', 'eth0', '10.0.0.9', stage.settingsPath);
  expect(down.status).toBe(0);
  expect(down.stderr).toContain(' ucarp-down: this node stands by');
  expect(stage.calls().at(0)).toBe('ip address del 10.0.0.9/24 dev eth0');
  expect(stage.role()).toBe('secondary');
});

it('vip-down ends a promotion that is under way', async () => {
  stage.fact('fsck-hangs');
  const up = stage.start('ucarp/vip-up', 'eth0', '10.0.0.9');
  await eventually('fsck', () => stage.is('fsck-runs'));
  expect((await stage.run('ucarp/vip-down', 'eth0', '10.0.0.9')).status).toBe(0);
  await up.ended;
  expect(stage.role()).toBe('secondary');
});

it('ucarp-hast finds out which node this is, and starts ucarp', async () => {
  nodeSettings();
  stage.set('ucarp_flags', '--advskew=10 --preempt');
  addresses('192.168.7.1', '10.0.0.2');
  expect((await stage.run('ucarp/ucarp-hast', stage.settingsPath)).status).toBe(0);
  const scripts = `--upscript=${SHARE}/ucarp/vip-up --downscript=${SHARE}/ucarp/vip-down`;
  expect(stage.calls()).toEqual([
    'ucarp --interface=eth0 --srcip=10.0.0.2 --vhid=7 --passfile=/etc/secret --addr=10.0.0.9 ' +
      `${scripts} --shutdown --xparam=settings --advskew=10 --preempt`,
  ]);
});

it.each([
  [['10.0.0.3'], 'none of the addresses 10.0.0.1 10.0.0.2 is on eth0'],
  [['10.0.0.1', '10.0.0.2'], 'several of the addresses of nodes are on eth0: 10.0.0.1 10.0.0.2'],
])('ucarp-hast does not guess with %j', async (list, text) => {
  nodeSettings();
  addresses(...list);
  const { status, stderr } = await stage.run('ucarp/ucarp-hast');
  expect(status).toBe(1);
  expect(stderr).toContain(text);
  expect(stage.calls()).toEqual([]);
});

it('ucarp-hast says which setting is missing', async () => {
  nodeSettings();
  stage.set('ucarp_vhid', '');
  const { status, stderr } = await stage.run('ucarp/ucarp-hast');
  expect(status).toBe(78);
  expect(stderr).toContain('ucarp_vhid is not set in settings');
});
