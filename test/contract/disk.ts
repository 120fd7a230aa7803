import sinon from 'sinon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sameBytes } from '../../core/base/bytes.js';
import type { Turns } from '../../core/base/turns.js';
import type { Disk } from '../../core/ports/disk.js';
import type { Done, PortError } from '../../core/ports/error.js';
import { itWith } from './world.js';
import type { World } from './world.js';

export interface DiskTraits {
  /** Bytes. */
  readonly mediaSize: number;
  readonly sectorSize: number;
  /** A flush succeeds. */
  readonly flushes: boolean;
  /** What was deleted reads as zeros. */
  readonly deletesToZeros: boolean;
}

export interface DiskSetup {
  readonly disk: Disk;
  readonly turns: Turns;
  readonly world: World;
  /** Opens the same medium, once more. */
  reopen(): Promise<Disk>;
  teardown(): Promise<void>;
}

/** What every Disk does, on a medium of at least 4 MiB whose content does not matter. */
export function diskContract(name: string, traits: DiskTraits, setup: () => Promise<DiskSetup>): void {
  describe(`disk contract: ${name}`, () => {
    const sector = traits.sectorSize;
    let context: DiskSetup;
    beforeEach(async () => {
      context = await setup();
    });
    afterEach(async () => {
      await context.teardown();
    });

    /** Runs one operation to its end. */
    async function outcome(start: (done: Done) => void): Promise<PortError | null> {
      const done = sinon.spy();
      context.world.run(() => {
        start(done);
      });
      await context.world.until('the operation completes', () => done.called);
      return done.firstCall.firstArg as PortError | null;
    }

    async function content(disk: Disk, offset: number, length: number): Promise<Uint8Array> {
      const target = new Uint8Array(length);
      expect(await outcome((done) => disk.read(offset, target, done))).toBeNull();
      return target;
    }

    it('has the size of its medium', () => {
      expect(context.disk.mediaSize).toBe(traits.mediaSize);
      expect(context.disk.sectorSize).toBe(sector);
    });

    it('reads what was written, and leaves what lies beside it', async () => {
      const { disk } = context;
      const before = bytes(4 * sector, 1);
      const middle = bytes(2 * sector, 2);
      expect(await outcome((done) => disk.write(0, before, done))).toBeNull();
      expect(await outcome((done) => disk.write(sector, middle, done))).toBeNull();
      before.set(middle, sector);
      expect(sameBytes(await content(disk, 0, 4 * sector), before)).toBe(true);
    });

    it('reaches the last sector', async () => {
      const { disk } = context;
      const last = bytes(sector, 3);
      expect(await outcome((done) => disk.write(traits.mediaSize - sector, last, done))).toBeNull();
      expect(sameBytes(await content(disk, traits.mediaSize - sector, sector), last)).toBe(true);
    });

    it('takes views into larger buffers', async () => {
      const { disk } = context;
      const slab = bytes(4 * sector, 4);
      const copy = slab.slice();
      const source = slab.subarray(sector, 2 * sector);
      expect(await outcome((done) => disk.write(0, source, done))).toBeNull();
      expect(await outcome((done) => disk.read(0, slab.subarray(2 * sector, 3 * sector), done))).toBeNull();
      copy.copyWithin(2 * sector, sector, 2 * sector);
      expect(sameBytes(slab, copy)).toBe(true);
    });

    it('never completes in the call, and completes each operation once, in a turn', async () => {
      const { disk, turns, world } = context;
      const calls = sinon.spy();
      let inCall = true;
      world.run(() => {
        const completion = (operation: string): Done => {
          return () => {
            expect(inCall).toBe(false);
            turns.atEnd(() => calls(operation, 'end of turn'));
            calls(operation, 'done');
          };
        };
        disk.read(0, new Uint8Array(sector), completion('read'));
        disk.write(sector, bytes(sector, 1), completion('write'));
        disk.delete(2 * sector, sector, completion('delete'));
        disk.flush(completion('flush'));
        for (const durably of [false, true]) {
          const writes = [3, 5].map((at) => ({ offset: at * sector, source: bytes(sector, at) }));
          disk.writeAll(writes, durably, completion(durably ? 'write durably' : 'write all'));
        }
        inCall = false;
      });
      await world.until('all have completed', () => calls.callCount === 12);
      await world.settle();
      expect(calls.callCount).toBe(12);
      // Several may complete in the same turn.
      const told = calls.args.map((args) => args.join(' '));
      for (const operation of ['read', 'write', 'delete', 'flush', 'write all', 'write durably']) {
        const done = told.indexOf(`${operation} done`);
        expect(done).toBeGreaterThanOrEqual(0);
        expect(told.indexOf(`${operation} end of turn`)).toBeGreaterThan(done);
      }
    });

    it('runs many operations at once', async () => {
      const { disk, world } = context;
      const done = sinon.spy();
      const sources = Array.from({ length: 64 }, (_, i) => bytes(4 * sector, i));
      world.run(() => {
        sources.forEach((source, i) => {
          disk.write(i * 4 * sector, source, done);
        });
      });
      await world.until('all have completed', () => done.callCount === 64);
      expect(done.alwaysCalledWithExactly(null)).toBe(true);
      for (const [i, source] of sources.entries()) {
        expect(sameBytes(await content(disk, i * 4 * sector, 4 * sector), source)).toBe(true);
      }
    });

    it.each([1, 2, 9])('writes several pieces as one, durably or not: %i', async (pieces) => {
      const { disk } = context;
      const image = bytes(3 * pieces * sector, 9);
      expect(await outcome((done) => disk.write(0, image, done))).toBeNull();
      for (const durably of [false, true]) {
        const writes = Array.from({ length: pieces }, (_, i) => {
          return { offset: 3 * i * sector, source: bytes((1 + (i % 2)) * sector, i + (durably ? 20 : 40)) };
        });
        const expected: unknown =
          durably && !traits.flushes ? expect.objectContaining({ code: 'EOPNOTSUPP' }) : null;
        expect(await outcome((done) => disk.writeAll(writes, durably, done))).toEqual(expected);
        for (const { offset, source } of writes) image.set(source, offset);
        expect(sameBytes(await content(disk, 0, image.length), image)).toBe(true);
      }
    });

    itWith(
      'deletes to zeros',
      traits.deletesToZeros,
      `${name}: deleted ranges of any length read as zeros, and only these`,
      async () => {
        const { disk } = context;
        const large = 3 * 1024 * 1024;
        expect(await outcome((done) => disk.write(0, bytes(large, 5), done))).toBeNull();
        expect(await outcome((done) => disk.delete(sector, large - 2 * sector, done))).toBeNull();
        const image = await content(disk, 0, large);
        expect(sameBytes(image.subarray(0, sector), bytes(large, 5).subarray(0, sector))).toBe(true);
        expect(image.subarray(sector, large - sector).every((byte) => byte === 0)).toBe(true);
        expect(sameBytes(image.subarray(large - sector), bytes(large, 5).subarray(large - sector))).toBe(
          true,
        );
      },
    );

    it('flushes, or says that the medium cannot', async () => {
      const { disk } = context;
      expect(await outcome((done) => disk.write(0, bytes(sector, 6), done))).toBeNull();
      const expected: unknown = traits.flushes ? null : expect.objectContaining({ code: 'EOPNOTSUPP' });
      expect(await outcome((done) => disk.flush(done))).toEqual(expected);
    });

    it('closes after what is under way, and what was written is there for who opens it next', async () => {
      const { disk, world } = context;
      const calls = sinon.spy();
      const source = bytes(1024 * sector, 7);
      world.run(() => {
        disk.write(0, source, () => calls('written'));
        const last = { offset: traits.mediaSize - sector, source: source.subarray(0, sector) };
        disk.writeAll([last], true, () => calls('written'));
        disk.close(() => calls('closed'));
        expect(calls.called).toBe(false);
      });
      await world.until('the disk is closed', () => calls.callCount === 3);
      expect(calls.args).toEqual([['written'], ['written'], ['closed']]);
      const again = await context.reopen();
      expect(sameBytes(await content(again, 0, source.length), source)).toBe(true);
      expect(await outcome((done) => again.close(done))).toBeNull();
    });

    it('takes anything but whole sectors within the medium for a bug', () => {
      const { disk, world } = context;
      const done = sinon.spy();
      world.run(() => {
        expect(() => disk.read(1, new Uint8Array(sector), done)).toThrow();
        expect(() => disk.write(0, new Uint8Array(sector - 1), done)).toThrow();
        expect(() => disk.write(0, new Uint8Array(0), done)).toThrow();
        const beyond = { offset: traits.mediaSize, source: new Uint8Array(sector) };
        expect(() => disk.writeAll([beyond], true, done)).toThrow();
        expect(() => disk.delete(traits.mediaSize, sector, done)).toThrow();
        expect(() => disk.read(-sector, new Uint8Array(sector), done)).toThrow();
      });
      expect(done.called).toBe(false);
    });
  });
}

/** Bytes that differ from place to place, and by `tag`. */
function bytes(length: number, tag: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 9) * 13 + tag * 31 + 1) & 0xff);
}
