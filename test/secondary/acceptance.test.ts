import { describe, expect, it } from 'vitest';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { SPLIT_BRAIN } from '../../core/wire/handshake-messages.js';
import { EXTENT, LOCALOFF, SECTOR } from '../../properties/request/primary-bench.js';
import { EXTENTS, METADATA, SecondaryBench, type SecondaryOptions } from './secondary-bench.js';

const VIRGIN = { resuid: 0n } as const;

function answered(options: SecondaryOptions = {}): SecondaryBench {
  return new SecondaryBench(options).run(50);
}

/** The map behind the verdict, opened. */
function mapOf(bench: SecondaryBench): Uint8Array | null {
  const { fields, data } = bench.verdict ?? { fields: {}, data: new Uint8Array(0) };
  return fields['mapsize'] === 0 ? null : data;
}

describe('acceptance, the answer', () => {
  it('in sync: sizes, counters and the map on disk, which stays for now', () => {
    const bench = answered({
      metadata: { localcnt: 2n, remotecnt: 3n },
      bits: [5],
      attach: { localcnt: 3n, remotecnt: 2n },
    });
    expect(bench.verdict?.fields).toMatchObject({
      datasize: BigInt(EXTENTS * EXTENT),
      extentsize: EXTENT,
      localcnt: 2n,
      remotecnt: 3n,
      syncsrc: 1,
      mapsize: SECTOR,
    });
    expect(mapOf(bench)?.[0]).toBe(5);
    expect(bench.map()[0]).toBe(5);
    expect(bench.events).toEqual(['connect']);
    expect(bench.worker?.status()).toMatchObject({ status: 'complete', localCopy: 'complete' });
  });

  it('the secondary is ahead', () => {
    expect(answered({ metadata: { localcnt: 1n } }).verdict?.fields['syncsrc']).toBe(2);
  });

  it('impossible counters: everything, with a warning', () => {
    const bench = answered({ metadata: { remotecnt: 4n } });
    expect(mapOf(bench)?.every((byte) => byte === 0xff)).toBe(true);
    expect(bench.log()).toContain('warning The counters of both nodes make no sense together');
  });

  it('split-brain: refused by its text, the event, exit 78, and nothing is changed', () => {
    const bench = answered({ metadata: { localcnt: 1n }, attach: { localcnt: 1n }, bits: [1] });
    expect(bench.verdict?.fields).toMatchObject({ errmsg: SPLIT_BRAIN, localcnt: 1n });
    expect(bench.events).toEqual(['split-brain']);
    expect(bench.exitCode).toBe(78);
    expect(bench.metadata()).toEqual({ ...METADATA, localcnt: 1n });
    expect(bench.map()[0]).toBe(1);
  });

  it('another resource id: refused with both, and an event (W31)', () => {
    const bench = answered({ attach: { resuid: 9n } });
    expect(bench.verdict?.fields['errmsg']).toBe('Resource unique ID mismatch (primary=9, secondary=7).');
    expect([bench.events, bench.exitCode]).toEqual([['mismatch'], 78]);
  });

  it.each([
    ['nothing at all', new Uint8Array(0)],
    ['no list', Uint8Array.of(0xff, 0xff)],
  ])('a handshake of %s ends the worker', (_, handshake) => {
    const bench = answered({ handshake });
    expect([bench.verdict, bench.exitCode]).toEqual([null, 66]);
    expect(bench.log()).toContain('the second handshake message makes no sense');
  });

  it('D3: says why when its component is unusable', () => {
    const bench = new SecondaryBench();
    bench.complete('EIO');
    bench.run(50);
    expect(bench.verdict?.fields['errmsg']).toMatch(
      /^Local component of the secondary is unusable: .*read failed/,
    );
    expect(bench.exitCode).toBe(66);
  });

  it('D5: an unreadable map counts as all ones', () => {
    const bench = new SecondaryBench();
    bench.complete();
    bench.complete('EIO');
    bench.run(50);
    expect(mapOf(bench)?.every((byte) => byte === 0xff)).toBe(true);
  });

  it('W18: extents with bad bytes are in the map, whatever it says on disk', () => {
    const bench = answered({ metadata: { localBad: [{ offset: EXTENT - SECTOR, length: 2 * SECTOR }] } });
    expect(mapOf(bench)?.[0]).toBe(0b11);
  });

  it('async: an old primary is told what it loses', () => {
    const bench = answered({ metadata: { prevrole: 'primary' }, bits: [7], attach: { localcnt: 1n } });
    expect(bench.log()).toContain('warning 3 extents written here while primary are overwritten');
    expect(
      answered({ metadata: { prevrole: 'primary' }, bits: [], attach: { localcnt: 1n } }).log(),
    ).not.toContain('overwritten');
    expect(answered({ bits: [7], attach: { localcnt: 1n } }).log()).not.toContain('overwritten');
  });
});

describe('acceptance of a new copy', () => {
  it('row 1: two virgins: the id is durable before the answer, no map', () => {
    const bench = new SecondaryBench({ metadata: VIRGIN, attach: { virgin: true } });
    for (const step of ['read metadata', 'read map', 'flush', 'write metadata', 'flush']) {
      expect(bench.asked(), step).toEqual([step]);
      expect(bench.verdict).toBeNull();
      bench.complete();
      bench.run(5, 'disk waits');
    }
    expect(bench.verdict?.fields).toMatchObject({ virgin: 1, mapsize: 0, syncsrc: 1 });
    expect(bench.metadata().resuid).toBe(7n);
  });

  it('W5: a virgin that was written to alone asks for everything', () => {
    const bench = answered({ metadata: VIRGIN, bits: [1], attach: { virgin: true } });
    expect(bench.verdict?.fields['virgin']).toBe(1);
    expect(mapOf(bench)?.every((byte) => byte === 0xff)).toBe(true);
  });

  const steps = ['read metadata', 'read map', 'flush', 'write map', 'flush', 'write metadata', 'flush'];

  it('row 2, W6, W8: all ones first, then the id and the mark, then the answer', () => {
    const bench = new SecondaryBench({ metadata: VIRGIN, attach: { localcnt: 1n } });
    for (const step of steps) {
      expect(bench.asked(), step).toEqual([step]);
      expect(bench.verdict).toBeNull();
      bench.complete();
      bench.run(5, 'disk waits');
    }
    expect(mapOf(bench)?.every((byte) => byte === 0xff)).toBe(true);
    expect(bench.metadata()).toMatchObject({ resuid: 7n, incomplete: true });
  });

  it('R20: a new node goes on counting where the primary remembers its predecessor (I12)', () => {
    const bench = answered({ metadata: VIRGIN, attach: { localcnt: 1n, remotecnt: 3n } });
    expect(bench.metadata()).toMatchObject({ resuid: 7n, localcnt: 3n, remotecnt: 0n });
    expect(bench.verdict?.fields).toMatchObject({ virgin: 1, localcnt: 3n, remotecnt: 0n });
  });

  it.each([...steps.keys()].slice(3))(
    'W6: step %i that fails ends it without an answer, and the id is not taken over',
    (at) => {
      const bench = new SecondaryBench({ metadata: VIRGIN, attach: { localcnt: 1n } });
      for (let i = 0; i < at; i++) bench.complete();
      bench.complete('EIO');
      bench.run(50);
      expect([bench.verdict, bench.exitCode]).toEqual([null, 66]);
      // The medium may have it all the same; then it has the all-ones map, too.
      if (bench.metadata().resuid !== 0n) expect(bench.map().every((byte) => byte === 0xff)).toBe(true);
    },
  );

  it('C20, I17: whenever it dies on the way, the next handshake gives everything again', () => {
    for (let died = 0; died <= steps.length; died++) {
      const bench = new SecondaryBench({ metadata: VIRGIN, attach: { localcnt: 1n } });
      for (let i = 0; i < died; i++) bench.complete();
      const next = answered({
        metadata: bench.metadata(),
        bits: [...bench.disk.bytes.subarray(METADATA_BYTES, LOCALOFF)],
        attach: { localcnt: 1n },
      });
      expect(
        mapOf(next)?.every((byte) => byte === 0xff),
        `after step ${String(died)}`,
      ).toBe(true);
    }
  });

  it('C20: also when the primary never wrote alone, so that the counters would say equal', () => {
    const adopted = { resuid: 7n, incomplete: true };
    const bench = answered({ metadata: adopted, bits: Array.from({ length: SECTOR }, () => 0xff) });
    expect(bench.verdict?.fields['virgin']).toBe(1);
    expect(mapOf(bench)?.every((byte) => byte === 0xff)).toBe(true);
  });
});

describe('acceptance and the mark of an incomplete copy (W8)', () => {
  it.each([
    ['a full copy begins', { remotecnt: 4n }, {}, false, true],
    ['equal counters clear it', {}, {}, true, false],
    ['counters that are not equal leave it', {}, { localcnt: 1n }, true, true],
    ['being the source leaves it', { localcnt: 1n }, {}, true, true],
    ['being behind does not set it: an own primary says so', {}, { localcnt: 1n }, false, false],
  ])('%s', (_, metadata, attach, before, after) => {
    const bench = answered({ metadata: { ...metadata, incomplete: before }, attach });
    expect(bench.metadata().incomplete).toBe(after);
    expect(bench.worker?.status().localCopy).toBe(after ? 'incomplete' : 'complete');
  });
});
