import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Turns } from '../../core/base/turns.js';
import type { Addon } from '../../native/addon.js';
import { inlinePolicy, InlineTransfers, type Transfer } from '../../native/inline-transfers.js';
import { eachAddon } from './addons.js';

describe.each(eachAddon)('inline transfers, %s', (_name, addon) => {
  let folder: string;
  let fd: number;
  let turns: Turns;
  let pooled: Transfer[];
  let ended: number;
  let transfers: InlineTransfers;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hast-inline-'));
    fd = openSync(join(folder, 'file'), 'w+');
    turns = new Turns();
    pooled = [];
    ended = 0;
    transfers = new InlineTransfers(
      fd,
      turns,
      addon,
      { reads: 'all', writes: true },
      {
        inPool: (transfer) => pooled.push(transfer),
        ended: (count) => (ended += count),
      },
    );
  });

  afterEach(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  it('are done in their order and told together, after the turn that asked for them', async () => {
    const told: string[] = [];
    const target = new Uint8Array(2);
    turns.run(() => {
      const write = (text: string): void => {
        const buffer = Buffer.from(text);
        transfers.add({ kind: 'write', offset: 0, buffer, done: () => told.push(text) });
      };
      write('aa');
      write('bb');
      transfers.add({
        ...{ kind: 'read', offset: 0, buffer: target },
        done: (error) => {
          turns.atEnd(() => told.push('end of turn'));
          told.push(error === null ? 'read' : error.code);
        },
      });
      expect(told).toEqual([]);
    });
    await new Promise(setImmediate);
    expect(told).toEqual(['aa', 'bb', 'read', 'end of turn']);
    expect(Buffer.from(target).toString()).toBe('bb');
    expect(readFileSync(join(folder, 'file'), 'latin1')).toBe('bb');
    expect([ended, pooled]).toEqual([3, []]);
  });

  it('report what is missing', async () => {
    const codes: (string | null)[] = [];
    turns.run(() => {
      transfers.add({
        ...{ kind: 'read', offset: 4096, buffer: new Uint8Array(512) },
        done: (error) => codes.push(error?.code ?? null),
      });
    });
    await new Promise(setImmediate);
    expect(codes).toEqual(['EIO']);
  });
});

describe('reads of what may be in the page cache', () => {
  /** What becomes of three reads in two turns, when the system answers the first ones so. */
  async function outcomes(...answers: number[]): Promise<string[]> {
    const found: string[] = [];
    const turns = new Turns();
    const readIfCached = (): number => answers.shift() ?? 4;
    const addon = { readIfCached, waits: () => 0 } as unknown as Addon;
    const transfers = new InlineTransfers(
      0,
      turns,
      addon,
      { reads: 'cached', writes: false },
      {
        inPool: () => found.push('pool'),
        ended: (count) => found.push(`ended ${String(count)}`),
      },
    );
    const read = (): void => {
      transfers.add({ kind: 'read', offset: 0, buffer: new Uint8Array(4), done: () => found.push('done') });
    };
    turns.run(() => {
      read();
      read();
    });
    await new Promise(setImmediate);
    turns.run(read);
    await new Promise(setImmediate);
    return found;
  }

  it('that is there are done at once', async () => {
    expect(await outcomes()).toEqual(['done', 'done', 'ended 2', 'done', 'ended 1']);
  });

  it('that is not there, or not all of it, are left to the pool', async () => {
    expect(await outcomes(-constants.errno.EAGAIN, 3)).toEqual(['pool', 'pool', 'done', 'ended 1']);
  });

  it('are left to the pool where the system cannot tell, which is asked once', async () => {
    const cannot = -constants.errno.EOPNOTSUPP;
    expect(await outcomes(cannot, cannot)).toEqual(['pool', 'pool', 'pool']);
  });
});

it('nothing is done inline in a filesystem that nobody knows', () => {
  expect(inlinePolicy(Buffer.from('/proc'))).toEqual({ reads: 'none', writes: false });
  expect(inlinePolicy(Buffer.from('/no such file'))).toEqual({ reads: 'none', writes: false });
});

describe('a transfer that takes long', () => {
  /** Are transfers still done inline after two that took 50 ms, in which the thread gave up the processor so often? */
  async function isInlineAfter(waits: number): Promise<boolean> {
    const turns = new Turns();
    let times = 0;
    const write = (): number => {
      times += waits;
      const until = performance.now() + 50;
      while (performance.now() < until);
      return 4;
    };
    const addon = { write, waits: () => times } as unknown as Addon;
    let pooled = 0;
    const transfers = new InlineTransfers(
      0,
      turns,
      addon,
      { reads: 'none', writes: true },
      {
        inPool: () => pooled++,
        ended: () => undefined,
      },
    );
    for (let i = 0; i < 3; i++) {
      turns.run(() => {
        transfers.add({ kind: 'write', offset: 0, buffer: new Uint8Array(4), done: () => undefined });
      });
      await new Promise(setImmediate);
    }
    return pooled === 0;
  }

  it('leaves the next ones to the pool if it has waited', async () => {
    expect(await isInlineAfter(1)).toBe(false);
  });

  it('changes nothing if the processor was somebody else’s', async () => {
    expect(await isInlineAfter(0)).toBe(true);
  });
});
