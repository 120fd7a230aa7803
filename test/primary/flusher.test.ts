import { describe, expect, it } from 'vitest';
import { EXTENT, PrimaryBench, SECTOR, type BenchOptions } from '../../properties/request/primary-bench.js';
import type { PeerRequest } from '../../properties/request/scripted-secondary.js';

function connected(options: BenchOptions = {}): PrimaryBench {
  const bench = new PrimaryBench({ keepdirty: 1, ...options });
  bench.connect();
  return bench;
}

/** Writes that both nodes have executed, one in each extent; all but the last leave the keep-dirty list. */
function write(bench: PrimaryBench, extents: number, from = 0): void {
  for (let extent = from; extent < from + extents; extent++) bench.submit('write', extent * EXTENT);
  bench.run(3, 'disk works');
  for (const request of [...bench.peer.requests]) bench.peer.execute(request);
  bench.run(3, 'disk works');
  expect(bench.parts.intake.busy).toBe(0);
}

function flushesHeard(bench: PrimaryBench): PeerRequest[] {
  return bench.peer.requests.filter(({ command }) => command === 'flush');
}

/** The peer answers its FLUSH so, the local disk with `code`. */
function flush(bench: PrimaryBench, peer: string | null, code: string | null = null): number {
  const id = bench.submit('flush');
  const order = bench.disk.orders.find(({ operation }) => operation === 'flush');
  if (order === undefined) throw new Error('the local disk was not asked');
  bench.disk.complete(order, code);
  bench.run(3);
  const [request] = flushesHeard(bench);
  if (request !== undefined) bench.peer.reply(request, { error: peer });
  bench.run(3, 'disk works');
  return id;
}

describe('FLUSH', () => {
  it('W20: succeeds when both nodes have flushed', () => {
    const bench = connected();
    const id = bench.submit('flush');
    bench.disk.completeAll();
    bench.run(5);
    expect(bench.answer(id)).toBeNull();
    const [request] = flushesHeard(bench);
    if (request !== undefined) bench.peer.reply(request);
    bench.run(5);
    expect(bench.answer(id)).toBe('ok');
  });

  it('W20: fails when this node could not, whatever the peer says', () => {
    const bench = connected();
    expect(bench.answer(flush(bench, null, 'EIO'))).toBe('EIO');
    expect(bench.parts.statistics.counts().flushErrors).toBe(1);
  });

  it('W20: a peer that could not is disconnected; what it may have lost is copied again', () => {
    const bench = connected();
    write(bench, 2);
    const id = flush(bench, 'EIO');
    expect(bench.answer(id)).toBe('ok');
    expect(bench.parts.link.session).toBeNull();
    expect([0, 1].map((extent) => bench.parts.map.needsSync(extent))).toEqual([true, true]);
    expect(bench.parts.statistics.remoteErrors).toBe(1);
    expect(bench.log()).toContain('Remote request failed (the peer answered EIO): FLUSH.');
  });

  it.each(['EOPNOTSUPP', 'ENOTTY'])(
    'a peer that answers %s has nothing to flush: said once, the result is ours',
    (code) => {
      const bench = connected();
      expect(bench.answer(flush(bench, code))).toBe('ok');
      expect(bench.answer(flush(bench, code, 'EIO'))).toBe('EIO');
      expect(bench.parts.link.session).not.toBeNull();
      expect(bench.lines.filter(({ text }) => text === 'The peer cannot flush its cache.')).toHaveLength(1);
    },
  );

  it('D8: without a local cache flush the promise is the peer’s, alone there is none', () => {
    const bench = connected();
    expect(bench.answer(flush(bench, null, 'EOPNOTSUPP'))).toBe('ok');
    bench.peer.drop();
    bench.run(5);
    expect(bench.answer(flush(bench, null, 'EOPNOTSUPP'))).toBe('EOPNOTSUPP');
    expect(bench.lines.filter(({ text }) => text.includes('depends on the peer alone'))).toHaveLength(1);
  });

  it('W9: out of date, it waits for the peer, whose copy counts', () => {
    const bench = new PrimaryBench({ bits: [1], metadata: { incomplete: true }, resource: { timeout: 30 } });
    bench.peer.standing = { ...bench.peer.standing, localcnt: 1n, syncsrc: 'secondary' };
    const early = bench.submit('flush');
    bench.run(5, 'disk works');
    expect(bench.answer(early)).toBeNull();
    bench.connect();
    expect(bench.answer(early)).toBeNull();
    const [request] = flushesHeard(bench);
    if (request !== undefined) bench.peer.reply(request, { error: 'EIO' });
    bench.run(5, 'disk works');
    expect(bench.answer(early)).toBeNull();
    bench.peer.automatic = true;
    bench.run(25_000, 'disk works');
    expect(bench.answer(early)).toBe('ok');
  });
});

describe('flusher', () => {
  it('W15: takes bits off the disk 5 s after a write, once both nodes have flushed', () => {
    const bench = connected();
    write(bench, 3);
    expect(bench.parts.map.flushOwed).toBe(2);
    bench.run(4_900);
    expect(flushesHeard(bench)).toEqual([]);
    bench.run(200);
    expect(flushesHeard(bench)).toHaveLength(1);
    bench.disk.completeAll();
    expect(bench.parts.map.flushOwed).toBe(2);
    for (const request of flushesHeard(bench)) bench.peer.reply(request);
    bench.run(5, 'disk works');
    expect(bench.parts.map.flushOwed).toBe(0);
    expect(bench.disk.bytes[4096]).toBe(0b100);
  });

  it('W15: does not wait when 1,024 extents have come together', () => {
    const bench = connected({ extents: 1100 });
    for (let from = 0; from < 1000; from += 200) write(bench, 200, from);
    expect(flushesHeard(bench)).toEqual([]);
    write(bench, 23, 1000);
    expect(flushesHeard(bench)).toEqual([]);
    bench.submit('write', 1023 * EXTENT);
    bench.run(3, 'disk works');
    const [last] = bench.peer.requests;
    if (last !== undefined) bench.peer.execute(last);
    bench.run(3);
    expect(flushesHeard(bench)).toHaveLength(1);
  });

  it('W15: a flush for many extents is followed by a pause of four times as long', () => {
    const bench = connected({ extents: 2500 });
    const writeOne = (extent: number): void => {
      bench.submit('write', extent * EXTENT);
      bench.run(3, 'disk works');
      for (const request of bench.peer.requests) if (request.command === 'write') bench.peer.execute(request);
      bench.run(3, 'disk works');
    };
    for (let from = 0; from < 1000; from += 200) write(bench, 200, from);
    write(bench, 23, 1000);
    writeOne(1023);
    expect(flushesHeard(bench)).toHaveLength(1);
    bench.run(100, 'disk works');
    for (const request of flushesHeard(bench)) bench.peer.reply(request);
    bench.run(5, 'disk works');
    for (let from = 1100; from < 2300; from += 200) write(bench, 200, from);
    writeOne(2300);
    expect(bench.parts.map.unflushedCount).toBe(1201);
    expect(flushesHeard(bench)).toEqual([]);
    bench.run(400, 'disk works');
    writeOne(2301);
    expect(flushesHeard(bench)).toHaveLength(1);
  });

  it('keeps the bits when either node fails to flush', () => {
    for (const [peer, local] of [
      ['EIO', null],
      [null, 'EIO'],
    ] as const) {
      const bench = connected();
      write(bench, 3);
      flush(bench, peer, local);
      expect([0, 1, 2].map((extent) => bench.parts.map.image.has(extent))).toEqual([true, true, true]);
    }
  });

  it('does not flush for bits that have another reason to stay', () => {
    const bench = connected({ keepdirty: 8 });
    write(bench, 3);
    bench.run(20_000, 'disk works');
    expect(flushesHeard(bench)).toEqual([]);
  });

  it('does not flush alone: without the peer the sync bits stay anyway', () => {
    const bench = connected();
    write(bench, 3);
    bench.peer.drop();
    bench.run(6_000);
    expect(bench.disk.orders.filter(({ operation }) => operation === 'flush')).toEqual([]);
    expect(bench.parts.map.syncCount).toBe(3);
  });

  it('a write during a flush is covered by the next one only', () => {
    const bench = connected();
    write(bench, 2);
    const id = bench.submit('flush');
    bench.run(3);
    const [request] = flushesHeard(bench);
    bench.submit('write', 0, SECTOR);
    bench.run(3, 'disk works');
    const [second] = bench.peer.requests.filter(({ command }) => command === 'write');
    if (second !== undefined) bench.peer.execute(second);
    if (request !== undefined) bench.peer.reply(request);
    bench.run(3, 'disk works');
    expect(bench.answer(id)).toBe('ok');
    bench.submit('write', 5 * EXTENT);
    bench.run(1, 'disk works');
    expect(bench.parts.map.image.has(0)).toBe(true);
  });
});

describe('flush of the peer alone', () => {
  function ask(bench: PrimaryBench, heard: (string | null)[]): void {
    bench.turn(() => {
      bench.parts.flusher.flushPeer((error) => heard.push(error?.code ?? null));
    });
  }

  it('is shared by all who ask while one is under way', () => {
    const bench = connected();
    const heard: (string | null)[] = [];
    for (let i = 0; i < 3; i++) ask(bench, heard);
    bench.run(3);
    expect(flushesHeard(bench)).toHaveLength(1);
    for (const request of flushesHeard(bench)) bench.peer.reply(request);
    bench.run(3);
    expect(heard).toEqual([null]);
    expect(flushesHeard(bench)).toHaveLength(1);
    for (const request of flushesHeard(bench)) bench.peer.reply(request);
    bench.run(3);
    expect(heard).toEqual([null, null, null]);
  });

  it('fails without a peer, or with one that cannot', () => {
    const bench = connected();
    const heard: (string | null)[] = [];
    ask(bench, heard);
    bench.run(3);
    for (const request of flushesHeard(bench)) bench.peer.reply(request, { error: 'EIO' });
    bench.run(3);
    ask(bench, heard);
    expect(heard).toEqual(['EIO', 'EIO']);
  });
});
