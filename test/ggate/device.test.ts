/** The GEOM gate device on the fake kernel: the contract of all devices, and what is its own. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '../../core/ports/device.js';
import { portError } from '../../core/ports/error.js';
import { codeOf, deviceContract, pattern, PlayedCore } from '../contract/device.js';
import type { DeviceSetup, DeviceTraits } from '../contract/device.js';
import { BIO, isKernelBuilt } from './kernel.js';
import { GgateWorld, macrotask, PROVIDER } from './world.js';

const MAX_IO_BYTES = 128 << 10;
const GEOMETRY = { provider: PROVIDER, mediaSize: 8 << 20, sectorSize: 512 };

const GGATE_TRAITS: DeviceTraits = {
  deletes: true,
  wholeRequestBytes: MAX_IO_BYTES,
  codeOf: (code) => code,
  removedCodes: ['ENXIO'],
};

async function contractSetup(...options: readonly string[]): Promise<DeviceSetup> {
  const world = await GgateWorld.start(...options);
  return {
    devices: world.devices(),
    connect: () => world.connect(),
    run: (callback) => {
      world.run(callback);
    },
    finish: async (promise) => promise,
    until: (condition) => world.until(condition),
    settle: async () => {
      // A look goes to the kernel and back.
      const application = await world.application();
      for (let round = 0; round < 10; round++) await application.look();
      await macrotask();
    },
    teardown: () => world.stop(),
  };
}

describe.skipIf(!isKernelBuilt)('GEOM gate (needs: the fake kernel)', () => {
  deviceContract('GEOM gate of FreeBSD 13', GGATE_TRAITS, async () => contractSetup('release=13'));
  deviceContract('GEOM gate of FreeBSD 12', GGATE_TRAITS, async () => contractSetup('release=12'));

  describe('GEOM gate device', () => {
    let world: GgateWorld;

    beforeEach(async () => {
      world = await GgateWorld.start('taste=4');
    });

    afterEach(async () => {
      await world.stop();
    });

    function create(core: PlayedCore, devices = world.devices(), geometry = GEOMETRY): Device {
      let device: Device | null = null;
      world.run(() => {
        device = core.device = devices.create(geometry, core);
      });
      if (device === null) throw new Error('there is no device');
      return device;
    }

    function playedCore(): PlayedCore {
      const core = new PlayedCore((callback) => {
        world.run(callback);
      });
      core.answerAtOnce = () => null;
      return core;
    }

    async function close(device: Device): Promise<void> {
      await new Promise<void>((resolve) => {
        world.run(() => {
          device.close(() => {
            resolve();
          });
        });
      });
    }

    it('is there from its creation to its end, and says who serves it', async () => {
      const core = playedCore();
      const device = create(core);
      const client = await world.connect();
      expect(await client.look()).toMatchObject({ mediaSize: 8 << 20, sectorSize: 512 });
      expect((await client.look()).info).toBe(`hastd[${process.pid.toString()}]`);
      await close(device);
      expect((await client.look()).unit).toBe(-1);
      expect(core.goneWith).toBeNull();
      expect(world.logged).toEqual([]);
    });

    it('brings a DELETE of everything, and keeps commands it does not know to itself', async () => {
      const core = playedCore();
      const device = create(core);
      const client = await world.connect();
      await client.delete(0, 8 << 20);
      expect(await codeOf(client.submit(BIO.speedup, 0, 0))).toBe('EOPNOTSUPP');
      expect(core.commands.filter((command) => command !== 'read')).toEqual(['delete']);
      await close(device);
    });

    it('never gives errors to the kernel that it would not pass on', async () => {
      const core = playedCore();
      const device = create(core);
      const client = await world.connect();
      for (const code of ['ENOMEM', 'EAGAIN']) {
        core.answerAtOnce = () => portError(code, 'the test says so');
        expect(await codeOf(client.read(0, 512))).toBe('EIO');
      }
      await close(device);
    });

    it('is gone when somebody else removes it', async () => {
      const core = playedCore();
      const device = create(core);
      const client = await world.connect();
      await client.destroy();
      await world.until(() => core.goneWith !== null);
      expect(core.goneWith).toEqual({ code: 'ENXIO', message: 'it was removed by somebody else' });
      await close(device);
    });

    it('is gone with the reason when it cannot be created', async () => {
      const core = playedCore();
      const provider = 'x'.repeat(59);
      const device = create(core, world.devices(provider), { ...GEOMETRY, provider });
      await world.until(() => core.goneWith !== null);
      expect(core.goneWith).toMatchObject({ code: 'ENAMETOOLONG' });
      await close(device);
    });

    it('replaces one of another size that was left behind', async () => {
      const first = playedCore();
      create(first, world.devices(), { ...GEOMETRY, mediaSize: 4 << 20 });
      await world.connect();
      const second = playedCore();
      const device = create(second);
      await world.until(() => world.logged.length > 0);
      expect(world.logged[0]).toBe(
        `warning Device hast/${PROVIDER} of another size was left behind; it was replaced, its requests failed.`,
      );
      expect((await (await world.connect()).look()).mediaSize).toBe(8 << 20);
      await close(device);
      // In life it would be dead: the component's lock is one worker's.
      await world.until(() => first.goneWith !== null);
    });

    it('serves small and large, random and sequential requests, thirty-two at a time, in a storm of interruptions', async () => {
      const medium = Buffer.alloc(8 << 20);
      const core = playedCore();
      core.answerAtOnce = ({ command, offset, length, data }) => {
        if (command === 'read') data?.set(medium.subarray(offset, offset + length));
        if (command === 'write' && data !== null) medium.set(data, offset);
        return null;
      };
      const device = create(core);
      const client = await world.connect();
      const storm = await world.application();
      const expected = Buffer.alloc(8 << 20);
      for (const bytes of [512, 4096, 65_536, MAX_IO_BYTES]) {
        const places = Array.from({ length: 32 }, (_, i) => i * MAX_IO_BYTES);
        places.sort((a, b) => ((a * 7919) % 104_729) - ((b * 7919) % 104_729));
        const done = places.map(async (offset) => {
          const data = pattern(bytes, offset + bytes);
          expected.set(data, offset);
          await client.write(offset, data);
          expect(Buffer.from(await client.read(offset, bytes)).equals(data)).toBe(true);
        });
        for (let i = 0; i < 20; i++) await storm.interrupt();
        await Promise.all(done);
      }
      expect(medium.equals(expected)).toBe(true);
      expect(await storm.look()).toMatchObject({ doubled: 0, panic: '', inQueue: 0, outQueue: 0 });
      await close(device);
    });

    it('is removed under load: every request ends', async () => {
      const core = playedCore();
      core.answerAtOnce = (request) => (request.id % 2 === 0 ? null : undefined);
      const device = create(core);
      const client = await world.connect();
      const codes = Array.from({ length: 200 }, (_, i) => codeOf(client.write(i * 512, pattern(512, i))));
      await world.until(() => core.pending.length > 10);
      await close(device);
      for (const code of await Promise.all(codes)) expect(['ok', 'ENXIO']).toContain(code);
      expect((await client.look()).doubled).toBe(0);
    });
  });
});
