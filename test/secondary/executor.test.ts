import { describe, expect, it } from 'vitest';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { SecondaryBench, type SecondaryOptions } from './secondary-bench.js';

/** A session; its first request has erased the map, so that only data is left to look at. */
function session(options: SecondaryOptions = {}): SecondaryBench {
  const bench = new SecondaryBench(options).run(50);
  bench.request('flush');
  bench.run(20);
  bench.connB.replies.length = 0;
  return bench;
}

describe('executor', () => {
  it('executes and answers each command', () => {
    const bench = session();
    const write = bench.request('write', 4, 2, { fill: 9 });
    bench.run(20);
    const read = bench.request('read', 4, 2);
    const del = bench.request('delete', 5, 1);
    const flush = bench.request('flush');
    bench.run(20);
    expect(bench.replies()).toEqual([write, read, del, flush].map(String));
    expect([bench.at(4), bench.at(5)]).toEqual([9, 0]);
    const answer = bench.connB.answers.find(({ data }) => data.length > 0);
    expect(answer?.data).toEqual(new Uint8Array(1024).fill(9));
    expect(bench.worker?.status()).toMatchObject({ reads: 1, writes: 1, deletes: 1, flushes: 2 });
  });

  it('answers a READ with the node’s own checksum and compression', () => {
    const bench = session({ resource: { compression: 'hole', checksum: 'crc32' } });
    bench.request('read', 0, 4);
    bench.run(20);
    expect(bench.connB.answers.at(-1)?.fields).toMatchObject({
      compression: 'hole',
      checksum: 'crc32',
      size: 4,
    });
  });

  it('leaves the data of an answer alone until the network has taken it', () => {
    const bench = session({ resource: { compression: 'none' } });
    bench.request('write', 0, 8, { fill: 9 });
    bench.run(20);
    // Nobody reads: soon no more answers fit into the network.
    bench.connB.connection.pause();
    for (let i = 0; i < 200; i++) bench.request('read', 0, 8);
    bench.run(200);
    for (let i = 0; i < 200; i++) bench.request('write', 8, 8, { fill: 1 });
    bench.run(200);
    bench.connB.connection.resume();
    bench.run(200);
    const data = bench.connB.answers.map((answer) => answer.data).filter(({ length }) => length > 0);
    expect(data).toHaveLength(200);
    for (const bytes of data) expect(bytes.every((byte) => byte === 9)).toBe(true);
  });

  it('memsync: `received` at once, the final answer when it is written', () => {
    const bench = session();
    const seq = bench.request('write', 0, 1, { memsync: true });
    bench.run(5, 'disk waits');
    expect(bench.replies()).toEqual([`${String(seq)} received`]);
    bench.run(5);
    expect(bench.replies()).toEqual([`${String(seq)} received`, String(seq)]);
  });

  it('I21: overlapping writes one after the other, others side by side', () => {
    const bench = session();
    bench.request('write', 0, 2);
    bench.request('write', 1, 2);
    bench.request('write', 8, 1);
    bench.run(5, 'disk waits');
    expect(bench.asked()).toEqual(['write 0+2', 'write 8+1']);
    bench.complete();
    expect(bench.asked()).toEqual(['write 8+1', 'write 1+2']);
  });

  it('a READ comes after the writes before it that overlap, and before those behind it', () => {
    const bench = session();
    bench.request('write', 0, 2);
    bench.request('read', 1, 1);
    bench.request('delete', 1, 1);
    bench.run(5, 'disk waits');
    for (const expected of [['write 0+2'], ['read 1+1'], ['delete 1+1'], []]) {
      expect(bench.asked()).toEqual(expected);
      if (expected.length > 0) bench.complete();
    }
  });

  it('a FLUSH covers every write before it and holds up nothing', () => {
    const bench = session();
    bench.request('write', 0, 1);
    bench.request('write', 60, 1);
    bench.request('read', 30, 1);
    const flush = bench.request('flush');
    bench.request('write', 20, 1);
    bench.run(5, 'disk waits');
    expect(bench.asked()).toEqual(['write 0+1', 'write 60+1', 'read 30+1', 'write 20+1']);
    bench.complete();
    bench.complete();
    expect(bench.asked()).toEqual(['read 30+1', 'write 20+1', 'flush']);
    bench.run(20);
    expect(bench.replies()).toContain(String(flush));
  });

  it('an error goes into the answer, the log and the counters, and the session stays (W19)', () => {
    const bench = session();
    const seqs = [
      bench.request('write', 0),
      bench.request('read', 8),
      bench.request('delete', 16),
      bench.request('flush'),
    ];
    bench.run(5, 'disk waits');
    for (const code of ['ENOSPC', 'EIO', 'EOPNOTSUPP', 'EIO']) bench.complete(code);
    bench.run(10);
    const [write, read, del, flush] = seqs.map(String);
    expect(bench.replies()).toEqual([
      `${write ?? ''} ENOSPC`,
      `${read ?? ''} EIO`,
      `${del ?? ''} EOPNOTSUPP`,
      `${flush ?? ''} EIO`,
    ]);
    expect(bench.log()).toContain('error Local request failed (write failed): WRITE(0, 512).');
    expect(bench.worker?.status()).toMatchObject({
      writeErrors: 1,
      readErrors: 1,
      deleteErrors: 1,
      flushErrors: 1,
    });
    expect(bench.exitCode).toBeNull();
  });

  it('stops receiving when it holds 256 requests or 32 MiB, and goes on when there is room', () => {
    const bench = session();
    for (let i = 0; i < 300; i++) bench.request('read', i % 8, 1);
    bench.run(20, 'disk waits');
    expect(bench.worker?.status()).toMatchObject({ localQueue: 256, idleQueue: 0 });
    bench.run(200);
    expect(bench.replies()).toHaveLength(300);
    expect(bench.worker?.status().idleQueue).toBe(255);
  });
});

describe('executor and the map on disk', () => {
  it('I11: the first request of a session erases it, a keepalive or a rejected one does not', () => {
    const bench = new SecondaryBench({ bits: [7] }).run(50);
    bench.keepalive();
    bench.request('write', 9999);
    bench.run(20);
    expect(bench.disk.bytes[METADATA_BYTES]).toBe(7);
    bench.request('read');
    bench.run(20);
    expect(bench.map().every((byte) => byte === 0)).toBe(true);
  });

  it('tries again with the next request when that failed', () => {
    const bench = new SecondaryBench({ bits: [7] }).run(50);
    bench.request('read', 0);
    bench.run(5, 'disk waits');
    expect(bench.asked()).toEqual(['write map', 'read 0+1']);
    bench.complete('EIO');
    bench.run(10);
    expect(bench.map()[0]).toBe(7);
    expect(bench.log()).toContain('error Unable to clear the activemap: write failed.');
    bench.request('read', 0);
    bench.run(10);
    expect(bench.map()[0]).toBe(0);
  });

  it('W7: nothing but the map is erased', () => {
    const bench = new SecondaryBench({ bits: [7] }).run(50);
    const before = bench.disk.bytes.slice(bench.metadata().localoff);
    bench.request('read');
    bench.run(20);
    expect(bench.disk.bytes.slice(bench.metadata().localoff)).toEqual(before);
  });
});

describe('executor and bytes that are bad here (W18)', () => {
  const bad = { metadata: { localBad: [{ offset: 1024, length: 1024 }] } };

  it('are not given away', () => {
    const bench = session(bad);
    const seq = bench.request('read', 3, 1);
    bench.run(20);
    expect(bench.replies()).toEqual([`${String(seq)} ESTALE`]);
  });

  it('are good again when they were written, durably before the answer', () => {
    const bench = session(bad);
    const seq = bench.request('write', 2, 1);
    bench.run(5, 'disk waits');
    bench.complete();
    // The mark must not go before the bytes are on the medium.
    expect(bench.asked()).toEqual(['flush']);
    bench.complete();
    expect(bench.asked()).toEqual(['write metadata']);
    expect(bench.replies()).toEqual([]);
    bench.run(20);
    expect(bench.replies()).toEqual([String(seq)]);
    expect(bench.metadata().localBad).toEqual([{ offset: 1536, length: 512 }]);
  });

  it('stay bad, and the write has failed, when that cannot be stored', () => {
    const bench = session(bad);
    const seq = bench.request('write', 2, 2);
    bench.run(5, 'disk waits');
    bench.complete();
    bench.complete('EIO');
    bench.run(20);
    expect(bench.replies()).toEqual([`${String(seq)} EIO`]);
  });
});
