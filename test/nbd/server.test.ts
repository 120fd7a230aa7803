import { beforeEach, describe, expect, it } from 'vitest';
import type { Device, DeviceRequest } from '../../core/ports/device.js';
import type { RequestHeader } from '../../native/nbd/protocol.js';
import { assert } from '../../core/base/assert.js';
import { portError } from '../../core/ports/error.js';
import { COMMAND, COMMAND_FLAG } from '../../native/nbd/protocol.js';
import { PlayedCore, codeOf, pattern } from '../contract/device.js';
import { MemoryWorld } from './memory-world.js';
import { request, simpleReplies, transmitting } from './raw.js';

const GEOMETRY = { provider: 'shared0', mediaSize: 8 * 2 ** 30, sectorSize: 512 };
const MIB = 1 << 20;
const NO_DATA = new Uint8Array(0);

describe('NBD server', () => {
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
    return core.pending.map(({ command, offset, length }) => [command, offset, length]);
  }

  describe('FUA', () => {
    it.each([
      ['WRITE', COMMAND.write, 'write'],
      ['TRIM', COMMAND.trim, 'delete'],
      ['WRITE_ZEROES', COMMAND.writeZeroes, 'write'],
    ])('%s is followed by a flush, and answered after both', (_, type, command) => {
      const client = transmitting(world);
      const payload = type === COMMAND.write ? pattern(512, 1) : NO_DATA;
      client.send(request({ type, flags: COMMAND_FLAG.fua, offset: 1024, length: 512 }), payload);
      settle();
      expect(ranges()).toEqual([[command, 1024, 512]]);
      core.complete(core.pending[0]);
      settle();
      expect(ranges()).toEqual([['flush', 0, 0]]);
      expect(client.take()).toHaveLength(0);
      core.complete(core.pending[0]);
      settle();
      expect(simpleReplies(client)).toEqual([{ cookie: 0, error: 0, data: Buffer.alloc(0) }]);
    });

    it('is not flushed when the write failed, and fails when the flush fails', () => {
      const client = transmitting(world);
      const write = request({ type: COMMAND.write, flags: COMMAND_FLAG.fua, length: 512 });
      client.send(write, pattern(512, 2));
      settle();
      core.complete(core.pending[0], portError('EIO', 'no'));
      settle();
      expect(core.pending).toHaveLength(0);
      expect(simpleReplies(client).map(({ error }) => error)).toEqual([5]);
      client.send(write, pattern(512, 3));
      settle();
      core.complete(core.pending[0]);
      settle();
      core.complete(core.pending[0], portError('EOPNOTSUPP', 'no'));
      settle();
      expect(simpleReplies(client).map(({ error }) => error)).toEqual([95]);
    });

    it('means nothing on READ and FLUSH', () => {
      const client = transmitting(world);
      client.send(request({ type: COMMAND.read, flags: COMMAND_FLAG.fua, length: 512 }));
      client.send(request({ type: COMMAND.flush, flags: COMMAND_FLAG.fua }));
      settle();
      for (const pending of [...core.pending]) core.complete(pending);
      settle();
      expect(core.commands).toEqual(['read', 'flush']);
    });

    it('needs no flush for a client that died meanwhile', () => {
      const client = transmitting(world);
      client.send(request({ type: COMMAND.write, flags: COMMAND_FLAG.fua, length: 512 }), pattern(512, 4));
      settle();
      client.die();
      settle();
      core.complete(core.pending[0]);
      settle();
      expect(core.commands).toEqual(['write']);
    });
  });

  it('writes zeroes in bounded pieces, one after the other, never as a delete', () => {
    const client = transmitting(world);
    const length = 10 * MIB;
    client.send(request({ type: COMMAND.writeZeroes, flags: COMMAND_FLAG.noHole, offset: MIB, length }));
    settle();
    let at = MIB;
    while (core.pending.length > 0) {
      const [piece] = core.pending;
      expect(core.pending).toHaveLength(1);
      expect(piece).toMatchObject({ command: 'write', offset: at });
      expect(piece?.data).toHaveLength(piece?.length ?? 0);
      expect(piece?.data?.every((byte) => byte === 0)).toBe(true);
      at += piece?.length ?? 0;
      core.complete(piece);
      settle();
    }
    expect(at).toBe(MIB + length);
    expect(core.commands).toEqual(['write', 'write', 'write']);
    expect(simpleReplies(client)).toHaveLength(1);
  });

  it('stops writing zeroes at the first error', () => {
    const client = transmitting(world);
    client.send(request({ type: COMMAND.writeZeroes, length: 10 * MIB }));
    settle();
    core.complete(core.pending[0], portError('ENOSPC', 'full'));
    settle();
    expect(core.pending).toHaveLength(0);
    expect(simpleReplies(client).map(({ error }) => error)).toEqual([28]);
  });

  it('trims and zeroes more than it would read or write at once', () => {
    const client = transmitting(world);
    const length = 2 ** 32 - 512;
    client.send(request({ type: COMMAND.trim, length }));
    client.send(request({ type: COMMAND.writeZeroes, length, cookieLow: 1 }));
    settle();
    expect(ranges()).toEqual([
      ['delete', 0, length],
      ['write', 0, 4 * MIB],
    ]);
  });

  const wrong: [string, Partial<RequestHeader>, number][] = [
    ['READ of half a sector', { type: COMMAND.read, length: 256 }, 22],
    ['READ between sectors', { type: COMMAND.read, offset: 256, length: 512 }, 22],
    ['READ beyond the end', { type: COMMAND.read, offset: GEOMETRY.mediaSize, length: 512 }, 22],
    ['READ at the end of the numbers', { type: COMMAND.read, offset: 2 ** 63, length: 512 }, 22],
    ['READ of too much', { type: COMMAND.read, length: 32 * MIB + 512 }, 22],
    ['WRITE beyond the end', { type: COMMAND.write, offset: GEOMETRY.mediaSize, length: 512 }, 28],
    ['WRITE of half a sector', { type: COMMAND.write, length: 100 }, 22],
    ['WRITE of too much', { type: COMMAND.write, length: 32 * MIB + 512 }, 22],
    ['WRITE with a flag of the future', { type: COMMAND.write, flags: 1 << 9, length: 512 }, 22],
    ['TRIM beyond the end', { type: COMMAND.trim, offset: GEOMETRY.mediaSize - 512, length: 1024 }, 22],
    ['TRIM between sectors', { type: COMMAND.trim, offset: 1, length: 512 }, 22],
    [
      'WRITE_ZEROES beyond the end',
      { type: COMMAND.writeZeroes, offset: GEOMETRY.mediaSize, length: 512 },
      28,
    ],
    ['FLUSH of a range', { type: COMMAND.flush, length: 512 }, 22],
    ['an unknown command', { type: 7, length: 512 }, 22],
  ];

  it.each(wrong)('refuses %s and stays usable', (_, header, error) => {
    for (const structured of [false, true]) {
      const client = transmitting(world, structured);
      const payload = header.type === COMMAND.write ? pattern(header.length ?? 0, 5) : NO_DATA;
      client.send(request(header), payload);
      client.send(request({ type: COMMAND.flush, cookieLow: 9 }));
      world.runUntil(() => core.pending.length > 0);
      expect(ranges()).toEqual([['flush', 0, 0]]);
      core.complete(core.pending[0]);
      settle();
      const bytes = client.take();
      if (structured) {
        expect(bytes.subarray(0, 8).toString('hex')).toBe('668e33ef' + '0001' + '8001');
        expect(bytes.readUInt32BE(20)).toBe(error);
        expect(bytes.subarray(26).toString('latin1')).toMatch(/bytes at|not known|a flush has/);
      } else {
        expect(bytes.readUInt32BE(4)).toBe(error);
        expect(bytes).toHaveLength(32);
      }
    }
  });

  it('answers requests of no length without asking the core', () => {
    for (const structured of [false, true]) {
      const client = transmitting(world, structured);
      client.send(request({ type: COMMAND.read, cookieLow: 1 }));
      client.send(request({ type: COMMAND.write, cookieLow: 2 }));
      client.send(request({ type: COMMAND.trim, cookieLow: 3 }));
      client.send(request({ type: COMMAND.writeZeroes, cookieLow: 4, offset: GEOMETRY.mediaSize }));
      settle();
      const bytes = client.take();
      // A read is answered by a chunk without content where chunks were agreed.
      if (structured) expect(bytes.subarray(0, 8).toString('hex')).toBe('668e33ef' + '0001' + '0000');
      expect(bytes).toHaveLength(structured ? 20 + 3 * 16 : 4 * 16);
    }
    expect(core.commands).toEqual([]);
  });

  it('answers a read in one chunk with its offset', () => {
    const client = transmitting(world, true);
    const flags = COMMAND_FLAG.dontFragment;
    client.send(request({ type: COMMAND.read, flags, offset: 4096, length: 1024, cookieLow: 5 }));
    settle();
    core.pending[0]?.data?.set(pattern(1024, 6));
    core.complete(core.pending[0]);
    settle();
    const bytes = client.take();
    expect(bytes.subarray(0, 28).toString('hex')).toBe(
      '668e33ef' + '0001' + '0001' + 'abcdef0100000005' + '00000408' + '0000000000001000',
    );
    expect(bytes.subarray(28).equals(pattern(1024, 6))).toBe(true);
  });

  it('drops a client that sends something else than a request; others are served', () => {
    const client = transmitting(world);
    const other = transmitting(world);
    client.send(new Uint8Array(28).fill(1));
    other.send(request({ type: COMMAND.flush }));
    settle();
    expect(client.isClosed).toBe(true);
    expect(world.log.lines.at(-1)?.text).toContain('it sent no NBD request');
    core.complete(core.pending[0]);
    settle();
    expect(simpleReplies(other)).toHaveLength(1);
  });

  it('finishes what is in flight before a disconnecting client is let go', () => {
    const client = transmitting(world);
    client.send(request({ type: COMMAND.read, length: 4096, cookieLow: 1 }));
    client.send(request({ type: COMMAND.write, length: 512, cookieLow: 2 }), pattern(512, 7));
    client.send(request({ type: COMMAND.disconnect }));
    settle();
    expect(client.isClosed).toBe(false);
    for (const pending of [...core.pending]) core.complete(pending);
    settle();
    expect(client.isClosed).toBe(true);
    expect(simpleReplies(client, { 1: 4096 }).map(({ error }) => error)).toEqual([0, 0]);
    expect(world.log.lines).toEqual([]);
  });

  it('lets a disconnecting client go that has nothing in flight', () => {
    const client = transmitting(world);
    client.send(request({ type: COMMAND.disconnect }));
    settle();
    expect(client.isClosed).toBe(true);
  });

  it('applies nothing of a write that did not arrive completely', () => {
    const client = transmitting(world);
    client.send(request({ type: COMMAND.write, length: 8192 }), pattern(8191, 8));
    settle();
    client.die();
    settle();
    expect(core.commands).toEqual([]);
  });

  it('covers by a flush on one connection what was answered on another', async () => {
    const writer = await world.connect();
    const flusher = await world.connect();
    const order: string[] = [];
    core.answerAtOnce = ({ command }: DeviceRequest) => {
      order.push(command);
      return null;
    };
    await world.finish(writer.write(0, pattern(512, 10)));
    await world.finish(flusher.flush());
    expect(order).toEqual(['write', 'flush']);
  });

  it('tells the client why, where structured replies carry text', async () => {
    const client = await world.connect();
    const failed = client.read(1, 512);
    await expect(world.finish(failed)).rejects.toThrow('512 bytes at 1: not whole sectors of 512 bytes');
    core.answerAtOnce = () => portError('EIO', 'the local component failed');
    await expect(world.finish(client.flush())).rejects.toThrow('the local component failed');
    expect(await world.finish(codeOf(client.flush()))).toBe('EIO');
  });

  it('asserts that the core completes a request once', () => {
    const client = transmitting(world);
    client.send(request({ type: COMMAND.flush }));
    settle();
    const [flush] = core.pending;
    assert(flush !== undefined, 'the flush came');
    core.complete(flush);
    expect(() => {
      device.complete(flush.id, null);
    }).toThrow('the core completes a request once');
  });
});
