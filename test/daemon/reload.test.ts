import { describe, expect, it } from 'vitest';
import type { Config, ResourceConfig } from '../../core/config/types.js';
import { changeOf } from '../../core/daemon/resource-change.js';
import { DAEMON, daemonConfig, DaemonWorld, resourceConfig } from '../../properties/daemon/daemon-world.js';
import { connect, greet } from '../../properties/daemon/primary-side.js';

function started(config: Config = daemonConfig()): DaemonWorld {
  const world = new DaemonWorld(config);
  world.start();
  world.log.length = 0;
  return world;
}

function reload(world: DaemonWorld, config: DaemonWorld['config']): void {
  world.config = config;
  world.in(() => {
    world.daemon.reload();
  });
  world.run(20);
}

function names(world: DaemonWorld): string[] {
  return world.daemon.resources.all().map(({ name }) => name);
}

function resources(...changes: readonly Partial<ResourceConfig>[]): Config {
  return daemonConfig({ resources: changes.map((change) => resourceConfig(change)) });
}

describe('a configuration that cannot be used', () => {
  it('changes nothing: bad file', () => {
    const world = started();
    reload(world, { exitCode: 78, text: 'Negative or zero timeout.' });
    expect(world.log).toEqual([
      'info Reloading configuration...',
      'error Negative or zero timeout.',
      'warning Configuration not reloaded.',
    ]);
    expect(greetable(world)).toBe(true);
  });

  it('changes nothing: control address', () => {
    const world = started();
    reload(world, { ...resources({ timeout: 5 }), control: '10.0.0.9:1', listen: ['10.0.0.1:9000'] });
    expect(world.log[1]).toMatch(/^error Unable to listen on control address 10\.0\.0\.9:1: .*\.$/);
    expect(world.log[2]).toBe('warning Configuration not reloaded.');
    expect(world.reachable('tcp4://10.0.0.1:9000')).toBe(false);
    expect(world.daemon.resources.get('r0')?.config.timeout).toBe(20);
  });

  it('changes nothing: no address to listen on', () => {
    const world = started();
    reload(world, daemonConfig({ control: '/new/control', listen: ['10.0.0.9', 'h:0'] }));
    expect(world.log.slice(1).map((line) => line.replace(/ADDR.*/, ''))).toEqual([
      expect.stringMatching(/^warning Unable to listen on address 10\.0\.0\.9: .*\.$/),
      expect.stringMatching(/^warning Unable to listen on address h:0: .*\.$/),
      'error No addresses to listen on.',
      'warning Configuration not reloaded.',
    ]);
    expect(world.reachable('/new/control')).toBe(false);
    expect(world.reachable('/var/run/hastctl')).toBe(true);
    expect(world.reachable(DAEMON)).toBe(true);
  });
});

describe('addresses', () => {
  it('keeps, binds and closes', () => {
    const world = started(daemonConfig({ listen: ['10.0.0.1:9001', '10.0.0.1:9002'] }));
    reload(world, daemonConfig({ control: '/new/control', listen: ['10.0.0.1:9002', '10.0.0.1:9003'] }));
    expect(world.log).toEqual([
      'info Reloading configuration...',
      'info Control socket changed from /var/run/hastctl to /new/control.',
      'info Keep listening on address 10.0.0.1:9002.',
      'info Listening on new address 10.0.0.1:9003.',
      'info No longer listening on address 10.0.0.1:9001.',
      'info Configuration reloaded successfully.',
    ]);
    const places = ['/var/run/hastctl', '/new/control', ...[9001, 9002, 9003].map((p) => `10.0.0.1:${p}`)];
    expect(places.map((at) => world.reachable(at))).toEqual([false, true, false, true, true]);
  });

  it('recognises a place under another name', () => {
    const world = started(daemonConfig({ listen: ['0.0.0.0', 'hosta:9000'] }));
    const peer = world.peer();
    reload(
      world,
      daemonConfig({ control: 'uds:///var/run/hastctl', listen: ['TCP4://0.0.0.0:8457', '10.0.0.1:9000'] }),
    );
    expect(world.log.at(-1)).toBe('info Configuration reloaded successfully.');
    expect(world.logged('Keep listening on address')).toBe(2);
    expect(world.logged('warning')).toBe(0);
    expect(['/var/run/hastctl', DAEMON, '10.0.0.1:9000'].every((at) => world.reachable(at))).toBe(true);
    expect(peer.closed).toBe(false);
  });

  it('keeps an address that is given twice once, and warns', () => {
    const world = started();
    reload(world, daemonConfig({ listen: ['0.0.0.0', 'tcp4://0.0.0.0'] }));
    expect(world.logged('Keep listening on address')).toBe(1);
    expect(world.logged('warning Unable to listen on address tcp4://0.0.0.0: ')).toBe(1);
  });

  it('is not moved by a reload that ends with the daemon', () => {
    const world = started();
    world.config = daemonConfig({ listen: ['/listen'] });
    world.in(() => {
      world.daemon.reload();
      world.daemon.stop(() => undefined);
    });
    world.run(100);
    expect(world.logged('reloaded')).toBe(0);
    expect(world.reachable('/listen')).toBe(false);
  });

  it('tries again at the next reload what could not be bound', () => {
    const world = started();
    reload(world, daemonConfig({ listen: ['0.0.0.0', '/var/run/hast/r0'] }));
    reload(world, daemonConfig());
    world.role('primary');
    world.worker().tell((handler) => {
      handler.exported('r0');
    });
    world.run(10);
    const both = daemonConfig({ listen: ['0.0.0.0', '/var/run/hast/r0'] });
    world.log.length = 0;
    reload(world, both);
    expect(world.logged('warning Unable to listen on address /var/run/hast/r0: ')).toBe(1);
    expect(world.log.at(-1)).toBe('info Configuration reloaded successfully.');
    world.role('init');
    reload(world, both);
    expect(world.log).toContain('info Listening on new address /var/run/hast/r0.');
  });

  it('tells who holds the pidfile, once all is safe', () => {
    const world = started();
    reload(world, daemonConfig({ pidfile: '/new.pid', listen: ['h:0'] }));
    expect(world.pidfiles).toEqual([]);
    reload(world, daemonConfig({ pidfile: '/new.pid' }));
    reload(world, daemonConfig({ pidfile: '/new.pid' }));
    expect(world.pidfiles).toEqual(['/new.pid']);
  });
});

describe('what a change takes', () => {
  const changes: Partial<ResourceConfig>[] = [
    { remoteaddr: 'x' },
    { sourceaddr: 'x' },
    { replication: 'async' },
    { checksum: 'crc32' },
    { compression: 'lzf' },
    { timeout: 1 },
    { exec: 'x' },
    { metaflush: false },
  ];
  it.each(changes)('live on a primary, else a restart: %o', (change) => {
    const was = resourceConfig();
    const becomes = resourceConfig(change);
    const took = (['init', 'secondary', 'primary'] as const).map((role) => changeOf(was, becomes, role));
    expect(took).toEqual(['restart', 'restart', 'live']);
  });
  it.each([{ provname: 'x' }, { localpath: 'x' }])('a restart in every role: %o', (change) => {
    const becomes = resourceConfig({ ...change, timeout: 1 });
    for (const role of ['init', 'secondary', 'primary'] as const)
      expect(changeOf(resourceConfig(), becomes, role)).toBe('restart');
  });
  it('nothing', () => {
    expect(changeOf(resourceConfig(), resourceConfig(), 'primary')).toBe('none');
  });
});

describe('resources', () => {
  it('that are gone leave their role and are unknown', () => {
    const world = started(resources({}, { name: 'r1' }));
    world.role('primary');
    world.log.length = 0;
    world.hooks.length = 0;
    reload(world, resources({ name: 'r1' }));
    expect(world.log).toEqual([
      'info Reloading configuration...',
      'info Keep listening on address tcp4://0.0.0.0:8457.',
      'info Resource r0 removed.',
      'info [r0] (primary) Role changed to init.',
      'debug1 [r0] (init) Worker process 1001 stopped.',
      'info Configuration reloaded successfully.',
    ]);
    expect(world.hooks).toEqual(['/hook role r0 primary init']);
    expect(world.role('init').answer()).toEqual({ resource0: 'r0', error0: 1 });
    expect(names(world)).toEqual(['r1']);
  });

  it('that are new come last, in init', () => {
    const world = started();
    reload(world, resources({ name: 'r1' }, {}));
    expect(names(world)).toEqual(['r0', 'r1']);
    expect(world.daemon.resources.get('r1')?.role).toBe('init');
    expect(world.logged('info Resource r1 added.')).toBe(1);
    expect(world.hooks).toEqual([]);
  });

  it('that are unchanged notice nothing', () => {
    const world = started();
    world.role('secondary');
    connect(world);
    reload(world, daemonConfig());
    expect(world.worker().gone).toBe(false);
    expect(world.logged('Resource r0')).toBe(0);
  });

  it('are restarted: stopped with the old program, started with the new one, last in order', () => {
    const world = started(resources({}, { name: 'r1' }));
    world.role('primary');
    world.hooks.length = 0;
    reload(world, resources({ localpath: '/dev/da9', exec: '/new' }, { name: 'r1' }));
    expect(world.worker(0).gone).toBe(true);
    expect(world.worker().assignment).toMatchObject({ role: 'primary', resource: { localpath: '/dev/da9' } });
    expect(world.hooks).toEqual(['/hook role r0 primary init', '/new role r0 init primary']);
    expect(names(world)).toEqual(['r1', 'r0']);
    expect(world.logged('info Resource r0 restarted.')).toBe(1);
  });

  it('keep -f through a restart', () => {
    const world = started();
    world.role('primary', 'r0', true);
    reload(world, resources({ localpath: '/dev/da9' }));
    expect(world.worker().assignment).toMatchObject({ force: true });
  });

  it('are restarted as secondary: the session ends, the next one has the new values', () => {
    const world = started();
    world.role('secondary');
    connect(world);
    reload(world, resources({ timeout: 5 }));
    expect(world.worker().gone).toBe(true);
    expect(world.daemon.resources.get('r0')?.role).toBe('secondary');
    connect(world);
    expect(world.worker().assignment.resource.timeout).toBe(5);
  });

  it('are replaced without a sound in role init', () => {
    const world = started(resources({}, { name: 'r1' }));
    reload(world, resources({ timeout: 5 }, { name: 'r1' }));
    expect(world.hooks).toEqual([]);
    expect(names(world)).toEqual(['r1', 'r0']);
    world.role('primary');
    expect(world.worker().assignment.resource.timeout).toBe(5);
  });

  it('are reloaded live as primary, and the next worker remembers', () => {
    const world = started();
    world.role('primary');
    world.hooks.length = 0;
    reload(world, resources({ replication: 'async', exec: '/new' }));
    expect(world.worker().reloads).toEqual([resourceConfig({ replication: 'async', exec: '/new' })]);
    expect(world.worker().gone).toBe(false);
    expect(world.logged('info Resource r0 reloaded.')).toBe(1);
    world.worker().exit('SIGKILL');
    world.run(2_000);
    expect(world.worker().assignment.resource.replication).toBe('async');
    reload(world, resources({ replication: 'fullsync', exec: '/new' }));
    world.role('secondary');
    expect(world.hooks).toEqual(['/new role r0 primary secondary']);
  });

  it('only take the values while there is no worker', () => {
    const world = started();
    world.role('primary');
    world.worker().exit('SIGKILL');
    world.run(10);
    reload(world, resources({ timeout: 5 }));
    world.run(2_000);
    expect(world.worker().assignment.resource.timeout).toBe(5);
  });

  it('wait for role commands before them', () => {
    const world = started();
    world.role('primary');
    world.worker().stubborn = true;
    world.role('secondary');
    reload(world, resources({ timeout: 5 }));
    expect(world.daemon.resources.get('r0')?.config.timeout).toBe(20);
    world.worker().exit(0);
    world.run(10);
    expect(world.daemon.resources.get('r0')?.config.timeout).toBe(5);
    expect(world.daemon.resources.get('r0')?.role).toBe('secondary');
  });
});

describe('time', () => {
  it('passes for nobody while a worker takes long to stop', () => {
    const world = started(resources({}, { name: 'r1' }));
    world.role('primary');
    world.role('secondary', 'r1');
    world.worker().stubborn = true;
    reload(world, resources({ localpath: '/dev/da9' }, { name: 'r1' }));
    expect(world.logged('Configuration reloaded successfully.')).toBe(0);
    expect(greet(world, 'r1').token).toHaveLength(16);
    const status = world.control({ kind: 'status', names: 'all' });
    world.run(10);
    expect(status.answer()).toMatchObject({ resource0: 'r1', resource1: 'r0' });
    world.worker(0).exit(0);
    world.run(10);
    expect(world.log.at(-1)).toBe('info Configuration reloaded successfully.');
  });

  it('is taken for a reload asked for during another', () => {
    const world = started();
    world.role('primary');
    world.worker().stubborn = true;
    reload(world, resources({ localpath: '/dev/da9' }));
    reload(world, resources({ localpath: '/dev/da8' }));
    reload(world, resources({ localpath: '/dev/da7' }));
    expect(world.logged('Reloading configuration...')).toBe(1);
    world.worker().exit(0);
    world.run(100);
    expect(world.logged('Configuration reloaded successfully.')).toBe(2);
    expect(world.worker().assignment.resource.localpath).toBe('/dev/da7');
  });

  it('is taken for a reload asked for during the start', () => {
    const world = new DaemonWorld();
    world.config = resources({ timeout: 5 });
    world.in(() => {
      world.daemon.start(() => undefined);
      world.daemon.reload();
    });
    world.run(100);
    expect(world.daemon.resources.get('r0')?.config.timeout).toBe(5);
  });

  it('is up when the daemon ends', () => {
    const world = started();
    world.config = daemonConfig({ control: '/new/control', listen: ['/listen'] });
    world.in(() => {
      world.daemon.reload();
      world.daemon.stop(() => undefined);
      world.daemon.reload();
    });
    world.run(100);
    expect(world.logged('reloaded')).toBe(0);
    const places = ['/var/run/hastctl', '/new/control', DAEMON, '/listen'];
    expect(places.some((at) => world.reachable(at))).toBe(false);
  });
});

function greetable(world: DaemonWorld): boolean {
  world.role('secondary');
  return greet(world).token.length === 16;
}
