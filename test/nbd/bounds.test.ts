import { beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '../../core/ports/device.js';
import { portError } from '../../core/ports/error.js';
import { COMMAND } from '../../native/nbd/protocol.js';
import { PlayedCore, pattern } from '../contract/device.js';
import { MemoryWorld } from './memory-world.js';
import { request, simpleReplies, transmitting } from './raw.js';

const GEOMETRY = { provider: 'shared0', mediaSize: 8 * 2 ** 30, sectorSize: 512 };
const MIB = 1 << 20;

describe('what clients can make the NBD server hold', () => {
  let world: MemoryWorld;
  let core: PlayedCore;
  let device: Device;

  beforeEach(() => {
    world = new MemoryWorld();
    core = new PlayedCore((callback) => {
      world.run(callback);
    });
    world.run(() => {
      device = world.devices.create(GEOMETRY, core);
      core.device = device;
    });
  });

  function settle(): void {
    world.scheduler.runFor(20);
  }

  function ranges(): unknown[] {
    return core.pending.map(({ command, length }) => [command, length]);
  }

  describe('bounds', () => {
    const READ = { type: COMMAND.read, length: 32 * MIB };

    it('holds at most 64 MiB for all clients, then takes turns', () => {
      const clients = [transmitting(world), transmitting(world), transmitting(world), transmitting(world)];
      for (const client of clients) client.send(request(READ), request(READ));
      settle();
      expect(core.pending).toHaveLength(2);
      for (let served = 1; served <= 8; served++) {
        expect(core.pending.length).toBeLessThanOrEqual(2);
        core.complete(core.pending[0], portError('EIO', 'no'));
        settle();
      }
      expect(core.pending).toHaveLength(0);
      for (const client of clients) expect(simpleReplies(client)).toHaveLength(2);
    });

    it('takes no request out of turn: a long one does not wait behind short ones for ever', () => {
      const [full, half, long, short] = [0, 1, 2, 3].map(() => transmitting(world));
      full?.send(request(READ));
      settle();
      half?.send(request({ type: COMMAND.read, length: 16 * MIB }));
      settle();
      long?.send(request(READ));
      settle();
      short?.send(request({ type: COMMAND.read, length: 512 }));
      settle();
      expect(ranges()).toEqual([
        ['read', 32 * MIB],
        ['read', 16 * MIB],
      ]);
      core.complete(core.pending[1], portError('EIO', 'no'));
      settle();
      expect(ranges()).toEqual([
        ['read', 32 * MIB],
        ['read', 32 * MIB],
      ]);
      core.complete(core.pending[0], portError('EIO', 'no'));
      settle();
      expect(ranges()).toEqual([
        ['read', 32 * MIB],
        ['read', 512],
      ]);
    });

    it('gives the memory of a dead client to those who wait, when the core is done with it', () => {
      const dying = transmitting(world);
      const waiting = transmitting(world);
      dying.send(request(READ), request(READ));
      settle();
      waiting.send(request(READ));
      settle();
      dying.die();
      settle();
      expect(core.commands).toHaveLength(2);
      core.complete(core.pending[0]);
      settle();
      expect(core.commands).toHaveLength(3);
      core.complete(core.pending[1], portError('EIO', 'no'));
      settle();
      expect(simpleReplies(waiting).map(({ error }) => error)).toEqual([5]);
    });

    it('holds at most 1024 requests until their replies are out', () => {
      const client = transmitting(world);
      client.stopReading();
      for (let i = 0; i < 40; i++) {
        client.send(...Array.from({ length: 100 }, () => request({ type: COMMAND.flush })));
      }
      settle();
      expect(core.pending).toHaveLength(1024);
      while (core.pending.length > 0) {
        core.complete(core.pending[0]);
        world.scheduler.runFor(1);
      }
      client.readOn();
      settle();
      expect(core.commands).toHaveLength(4000);
      expect(simpleReplies(client)).toHaveLength(4000);
    });

    it('does not queue answers for a client that does not read them', () => {
      const client = transmitting(world);
      client.stopReading();
      core.answerAtOnce = () => null;
      for (let i = 0; i < 50; i++) client.send(request({ type: COMMAND.read, length: 4 * MIB }));
      settle();
      // 64 MiB, and what the system's buffers took.
      expect(core.commands).toHaveLength(16);
    });

    it('drops a client that blocks others by not reading, after half a minute', () => {
      const stopped = transmitting(world);
      const waiting = transmitting(world);
      stopped.stopReading();
      core.answerAtOnce = () => null;
      stopped.send(...Array.from({ length: 16 }, () => request({ type: COMMAND.read, length: 4 * MIB })));
      settle();
      // The last one waits itself, before the other.
      stopped.send(request({ type: COMMAND.read, length: 4 * MIB }));
      settle();
      waiting.send(request({ type: COMMAND.read, length: 4 * MIB }));
      world.scheduler.runFor(25_000);
      expect(waiting.take()).toHaveLength(0);
      world.scheduler.runFor(10_000);
      expect(waiting.take()).toHaveLength(16 + 4 * MIB);
      expect(world.log.lines.map((line) => line.text)).toEqual([
        'NBD client was disconnected: it stopped moving while others wait for memory.',
      ]);
    });

    it('drops a client that blocks others by not sending what it announced', () => {
      const stopped = transmitting(world);
      const waiting = transmitting(world);
      for (const offset of [0, 32 * MIB]) {
        stopped.send(request({ type: COMMAND.write, offset, length: 32 * MIB }));
        if (offset === 0) stopped.send(pattern(32 * MIB, 1));
      }
      world.runUntil(() => core.pending.length === 1);
      waiting.send(request({ type: COMMAND.read, length: 512 }));
      world.scheduler.runFor(65_000);
      expect(stopped.isClosed).toBe(true);
      expect(ranges()).toEqual([
        ['write', 32 * MIB],
        ['read', 512],
      ]);
    });

    it('leaves a slow client alone that moves while others wait', () => {
      const slow = transmitting(world);
      const waiting = transmitting(world);
      slow.stopReading();
      core.answerAtOnce = () => null;
      slow.send(...Array.from({ length: 16 }, () => request({ type: COMMAND.read, length: 4 * MIB })));
      settle();
      waiting.send(request({ type: COMMAND.read, length: 4 * MIB }));
      for (let round = 0; round < 5; round++) {
        world.scheduler.runFor(10_000);
        slow.readOn();
        world.scheduler.runFor(0.05);
        slow.stopReading();
      }
      expect(slow.take().length).toBeLessThan(4 * MIB);
      expect(waiting.hasReceived).toBe(false);
      expect(slow.isClosed).toBe(false);
      slow.readOn();
      world.scheduler.runFor(1000);
      expect(waiting.take()).toHaveLength(16 + 4 * MIB);
    });

    it('leaves slow clients alone as long as nobody waits', () => {
      const stopped = transmitting(world);
      stopped.stopReading();
      core.answerAtOnce = () => null;
      stopped.send(request({ type: COMMAND.read, length: 4 * MIB }));
      world.scheduler.runFor(100_000);
      stopped.readOn();
      world.scheduler.runFor(100);
      expect(stopped.take()).toHaveLength(16 + 4 * MIB);
    });

    it('drops a client that never comes to the point', () => {
      const idle = world.connectRaw();
      const served = transmitting(world);
      world.scheduler.runFor(31_000);
      expect(idle.isClosed).toBe(true);
      expect(served.isClosed).toBe(false);
      expect(world.log.lines.map((line) => line.text)).toEqual([
        'NBD client was disconnected: it does not come to the point.',
      ]);
    });

    it('serves 128 clients, and no more', () => {
      const clients = Array.from({ length: 128 }, () => world.connectRaw());
      const last = world.connectRaw();
      settle();
      expect(last.isClosed).toBe(true);
      expect(clients.some((client) => client.isClosed)).toBe(false);
    });
  });

  describe('removal', () => {
    it('does not wait for ever for a client that does not read', () => {
      const client = transmitting(world);
      client.stopReading();
      core.answerAtOnce = () => null;
      client.send(request({ type: COMMAND.read, length: 4 * MIB }));
      settle();
      let isDone = false;
      world.run(() => {
        device.close(() => {
          isDone = true;
        });
      });
      settle();
      expect(isDone).toBe(false);
      world.scheduler.runFor(1000);
      expect(isDone).toBe(true);
    });

    it('fails requests that wait for memory or are still arriving, by closing', () => {
      const clients = [transmitting(world), transmitting(world), transmitting(world)];
      const [full, waiting, arriving] = clients;
      arriving?.send(request({ type: COMMAND.write, length: 1024 }), pattern(100, 9));
      full?.send(request({ type: COMMAND.read, length: 32 * MIB }));
      settle();
      waiting?.send(request({ type: COMMAND.read, length: 32 * MIB }));
      settle();
      expect(core.pending).toHaveLength(1);
      let isDone = false;
      world.run(() => {
        device.close(() => {
          isDone = true;
        });
      });
      settle();
      expect(isDone).toBe(true);
      expect(clients.map((client) => client.isClosed)).toEqual([true, true, true]);
      expect(core.commands).toHaveLength(1);
    });

    it('turns away clients that come later', () => {
      world.run(() => {
        device.close(() => undefined);
      });
      settle();
      expect(world.connectRaw().isClosed).toBe(true);
    });
  });
});
