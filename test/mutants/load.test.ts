import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { describe, expect, it } from 'vitest';
import { loadCores } from '../../cli/hastsim/mutants-load.js';
import type { ResourceConfig } from '../../core/config/types.js';
import { Daemon } from '../../core/daemon/daemon.js';
import { ownCore } from '../../sim/core-build.js';
import type { CoreBuild } from '../../sim/core-build.js';
import { Lan } from '../../sim/lan.js';
import { SimNode } from '../../sim/node.js';
import { Scheduler } from '../../sim/scheduler.js';

const RESOURCE: ResourceConfig = {
  ...{ name: 'r0', provname: 'r0', localpath: '/component', remoteaddr: 'tcp4://10.0.0.2', sourceaddr: '' },
  replication: 'fullsync',
  checksum: 'none',
  compression: 'hole',
  ...{ timeout: 10, exec: '', metaflush: true, syncrate: DEFAULT_SYNCRATE },
};

/** What a node that runs this core says when it has started. */
function firstLines(core: CoreBuild): string[] {
  const scheduler = new Scheduler();
  const user = {
    deviceAppeared: () => undefined,
    deviceVanished: () => undefined,
    answered: () => undefined,
  };
  const geometry = { mediaSize: 65_536, extentsize: 4096, keepdirty: 2 };
  const options = { name: 'a', ip: '10.0.0.1', resource: RESOURCE, ...geometry, core };
  const node = new SimNode(scheduler, new Lan(scheduler, 1), 1, options, user);
  node.create();
  node.start();
  scheduler.runFor(100);
  return node.lines.map(({ text }) => text);
}

describe('cores of several kinds', () => {
  it('run in one process, each as it was patched', async () => {
    const cores = await loadCores(['own', 'freebsd-12.1', 'protocol-1']);
    expect(Object.keys(cores).sort()).toEqual(['freebsd-12.1', 'protocol-1']);
    const old = cores['protocol-1'] ?? ownCore;
    expect(old.Daemon).not.toBe(Daemon);
    expect(firstLines(old)).toContain('Started successfully, running protocol version 1.');
    expect(firstLines(ownCore)).toContain('Started successfully, running protocol version 2.');
    expect(firstLines(cores['freebsd-12.1'] ?? ownCore)).toContain(
      'Started successfully, running protocol version 2.',
    );
  });
});
