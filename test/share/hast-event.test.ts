/** What hastd's events leave in syslog, and what a split-brain means for promotions. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Stage } from './stage.js';

const SCRIPT = 'failover/hast-event';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
  stage.resource('r0', {});
});

afterEach(() => {
  stage.close();
});

it('every event is a line in syslog', async () => {
  await stage.run(SCRIPT, 'role', 'r0', 'secondary', 'primary');
  await stage.run(SCRIPT, 'connect', 'r0');
  await stage.run(SCRIPT, 'syncdone', 'r0');
  await stage.run(SCRIPT, 'split-brain', 'r0');
  expect(stage.logged).toEqual([
    'local0.notice r0: role secondary -> primary',
    'local0.notice r0: connect',
    'local0.notice r0: syncdone',
    'local0.err r0: split-brain',
  ]);
});

it('after a split-brain a node is not promoted until the nodes have agreed', async () => {
  await stage.run(SCRIPT, 'split-brain', 'r0');
  const refused = await stage.run('failover/hast-failover', 'primary');
  expect(refused.status).toBe(69);
  expect(refused.stderr).toContain('r0: refused: split-brain since ');
  expect(stage.calls()).toEqual([]);

  await stage.run(SCRIPT, 'disconnect', 'r0');
  expect((await stage.run('failover/hast-failover', 'primary')).status).toBe(69);
  await stage.run(SCRIPT, 'connect', 'r0');
  expect((await stage.run('failover/hast-failover', 'primary')).status).toBe(0);
});

it('a split-brain of another resource does not matter', async () => {
  await stage.run(SCRIPT, 'split-brain', 'r1');
  expect((await stage.run('failover/hast-failover', 'primary')).status).toBe(0);
});

it('anything else is answered with the usage', async () => {
  expect((await stage.run(SCRIPT, 'connect')).status).toBe(64);
});
