import { describe, expect, it } from 'vitest';
import { nv, type NvPair } from '../../core/wire/nv.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { EXTENT, SECTOR } from '../../properties/request/primary-bench.js';
import { EXTENTS, SecondaryBench } from './secondary-bench.js';

const DATA = EXTENTS * EXTENT;

function session(): SecondaryBench {
  return new SecondaryBench().run(50);
}

function fields(
  cmd: number,
  offset: number | bigint,
  length: number | bigint,
  seq: number | bigint = 77,
): NvPair[] {
  return [
    nv.uint8('cmd', cmd),
    nv.uint64('seq', seq),
    nv.uint64('offset', offset),
    nv.uint64('length', length),
  ];
}

/** The session is as it was: the next request is executed. */
function expectAlive(bench: SecondaryBench): void {
  const before = bench.connB.replies.length;
  const seq = bench.request('write', 3, 1, { fill: 0x33 });
  bench.run(20);
  expect(bench.replies().slice(before)).toEqual([String(seq)]);
  expect(bench.at(3)).toBe(0x33);
  expect(bench.exitCode).toBeNull();
}

const rejected: readonly (readonly [string, readonly NvPair[], number])[] = [
  ['no offset', [nv.uint8('cmd', 1), nv.uint64('seq', 77), nv.uint64('length', 512)], 77],
  ['no length', [nv.uint8('cmd', 3), nv.uint64('seq', 77), nv.uint64('offset', 0)], 77],
  [
    'an offset of another type',
    [nv.uint8('cmd', 1), nv.uint64('seq', 77), nv.uint32('offset', 0), nv.uint64('length', 512)],
    77,
  ],
  ['length 0', fields(1, 0, 0), 77],
  ['a length that is no multiple of the sector', fields(1, 0, 100), 77],
  ['an offset that is no multiple of the sector', fields(3, 100, 512), 77],
  ['a READ longer than 1 MiB', fields(1, 0, 1024 * 1024 + 512), 77],
  ['an end behind the device', fields(1, DATA - SECTOR, 2 * SECTOR), 77],
  ['a DELETE behind the device', fields(3, DATA, SECTOR), 77],
  ['W23: offset and length that wrap 64 bits', fields(3, (1n << 64n) - 512n, 1024n), 77],
  ['a length above what a number holds', fields(1, 0, 1n << 60n), 77],
  ['seq 0', fields(1, 0, 512, 0), 0],
  ['no seq', [nv.uint8('cmd', 1), nv.uint64('offset', 0), nv.uint64('length', 512)], 0],
];

describe('receiver, requests that are answered with EINVAL (wire.md 8.1)', () => {
  it.each(rejected)('%s: and the session lives', (_, pairs, seq) => {
    const bench = session();
    bench.send(pairs);
    bench.run(20);
    expect(bench.replies()).toEqual([`${String(seq)} EINVAL`]);
    expect(bench.log()).toContain('error Request rejected: ');
    expectAlive(bench);
  });

  it.each([
    ['beyond the end', fields(2, DATA, 1024)],
    ['too long', fields(2, 0, 2 * 1024 * 1024)],
    ['length 0', fields(2, 0, 0)],
    ['without a number', fields(2, 0, 1024, 0)],
    ['not whole sectors', fields(2, 0, 1000)],
  ])('W23: the data of a rejected WRITE is dropped, %s', (_, pairs) => {
    const bench = session();
    bench.send([...pairs, nv.uint32('size', 1024)], new Uint8Array(1024).fill(0xcd));
    bench.run(20);
    expect(bench.replies()).toHaveLength(1);
    expect(bench.connB.replies[0]?.error).toBe('EINVAL');
    expect(bench.disk.bytes.includes(0xcd)).toBe(false);
    expectAlive(bench);
  });

  it('a rejected memsync WRITE has one answer, with both fields', () => {
    const bench = session();
    bench.send(
      [...fields(2, DATA, 512), nv.uint8('memsync', 1), nv.uint32('size', 512)],
      new Uint8Array(512),
    );
    bench.run(20);
    expect(bench.replies()).toEqual(['77 received EINVAL']);
    expectAlive(bench);
  });

  it('FLUSH needs neither offset nor length, and what they say does not matter', () => {
    const bench = session();
    bench.send(fields(4, 100, 1n << 60n));
    bench.send([nv.uint8('cmd', 4), nv.uint64('seq', 78)]);
    bench.run(20);
    expect(bench.replies()).toEqual(['77', '78']);
  });

  it('a READ of 1 MiB would be taken: longer than the device, so rejected for its end only', () => {
    const bench = session();
    bench.send(fields(1, 0, 1024 * 1024));
    bench.run(20);
    expect(bench.log()).toContain('beyond the end');
  });
});

const deadly: readonly (readonly [string, (bench: SecondaryBench) => void])[] = [
  [
    'an unknown command',
    (bench) => {
      bench.send(fields(9, 0, 512));
    },
  ],
  [
    'no command',
    (bench) => {
      bench.send([nv.uint64('seq', 1)]);
    },
  ],
  [
    'a list that is none',
    (bench) => {
      bench.sendBytes(Uint8Array.of(2, 8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0));
    },
  ],
  [
    'a version that nobody speaks',
    (bench) => {
      bench.sendBytes(Uint8Array.of(3, 0, 0, 0, 0));
    },
  ],
  [
    'a list longer than any',
    (bench) => {
      bench.sendBytes(Uint8Array.of(2, 0, 0, 0, 0xff));
    },
  ],
  [
    'a WRITE without data',
    (bench) => {
      bench.send(fields(2, 0, 512));
    },
  ],
  [
    'less data than announced by its length',
    (bench) => {
      bench.send([...fields(2, 0, 1024), nv.uint32('size', 512)], new Uint8Array(512));
    },
  ],
  [
    'more data than announced by its length',
    (bench) => {
      bench.send([...fields(2, 0, 512), nv.uint32('size', 1024)], new Uint8Array(1024));
    },
  ],
  [
    'a compression that nobody knows',
    (bench) => {
      bench.send(
        [...fields(2, 0, 512), nv.string('compression', 'zip'), nv.uint32('size', 4)],
        new Uint8Array(4),
      );
    },
  ],
  [
    'a hole of another size',
    (bench) => {
      bench.send(
        [...fields(2, 0, 512), nv.string('compression', 'hole'), nv.uint32('size', 4)],
        Uint8Array.of(0, 4, 0, 0),
      );
    },
  ],
  [
    'a wrong checksum',
    (bench) => {
      const sum = [
        nv.string('checksum', 'crc32'),
        nv.bytes('hash', new Uint8Array(4)),
        nv.uint32('size', 512),
      ];
      bench.send([...fields(2, 0, 512), ...sum], new Uint8Array(512).fill(0xcd));
    },
  ],
];

describe('receiver, what ends the session', () => {
  it.each(deadly)('W22: %s: nothing of it is executed', (_, send) => {
    const bench = session();
    const before = bench.disk.bytes.slice();
    send(bench);
    bench.run(50);
    expect(bench.exitCode).toBe(75);
    expect(bench.events).toEqual(['connect', 'disconnect']);
    expect([bench.connA.lost, bench.connB.lost]).toEqual([true, true]);
    expect(bench.disk.bytes).toEqual(before);
    expect(bench.replies()).toEqual([]);
  });

  it('W22, N11: a WRITE that is cut off anywhere changes nothing', () => {
    const frame = encodeFrame(2, [...fields(2, 0, 1024), nv.uint32('size', 1024)]);
    const whole = new Uint8Array(frame.length + 1024).fill(0xcd);
    whole.set(frame);
    for (const cut of [
      1,
      4,
      5,
      6,
      frame.length - 1,
      frame.length,
      frame.length + 1,
      frame.length + 512,
      whole.length - 1,
    ]) {
      const bench = session();
      bench.sendBytes(whole.slice(0, cut));
      bench.run(20);
      bench.hangUp('A');
      bench.run(20);
      expect(bench.disk.bytes.includes(0xcd)).toBe(false);
      expect(bench.exitCode).toBe(75);
    }
  });

  it('data of every kind that is right is executed', () => {
    const bench = session();
    const settings = { compression: 'lzf', checksum: 'sha256' } as const;
    const seqs = [
      bench.request('write', 0, 8, { fill: 0x41, settings }),
      bench.request('write', 8, 8, { fill: 0, settings: { compression: 'hole', checksum: 'crc32' } }),
    ];
    bench.run(20);
    expect(bench.replies().sort()).toEqual(seqs.map(String));
    expect(bench.at(7)).toBe(0x41);
  });
});

describe('receiver, what an own primary says about this copy (W8)', () => {
  it('incomplete: durably, before anything that follows is executed', () => {
    const bench = session();
    bench.keepalive(false);
    const seq = bench.request('write', 0);
    bench.run(5, 'disk waits');
    expect(bench.asked()).toEqual(['write metadata']);
    bench.complete();
    bench.run(5, 'disk waits');
    expect(bench.asked()).toEqual(['flush']);
    bench.run(20);
    expect(bench.metadata().incomplete).toBe(true);
    expect(bench.worker?.status().localCopy).toBe('incomplete');
    expect(bench.replies()).toEqual([String(seq)]);
  });

  it('complete again', () => {
    const bench = session();
    bench.keepalive(false);
    bench.keepalive(true);
    bench.run(20);
    expect(bench.metadata().incomplete).toBe(false);
    expectAlive(bench);
  });

  it('a mark that cannot be stored ends the session; one that cannot be taken back does not, and is tried again', () => {
    const bench = session();
    bench.keepalive(false);
    bench.run(5, 'disk waits');
    bench.complete('EIO');
    bench.run(20);
    expect(bench.exitCode).toBe(75);

    const other = session();
    other.keepalive(false);
    other.run(20);
    other.keepalive(true);
    other.run(5, 'disk waits');
    other.complete('EIO');
    other.run(20);
    expectAlive(other);
    expect(other.metadata().incomplete).toBe(true);
    other.run(9_000);
    other.keepalive();
    other.run(2_000);
    expect(other.metadata().incomplete).toBe(false);
    expect(other.worker?.status().localCopy).toBe('complete');
  });

  it('a mark is not taken back when it has been set again meanwhile', () => {
    const bench = session();
    bench.keepalive(false);
    bench.run(20);
    bench.keepalive(true);
    bench.keepalive(false);
    bench.run(5, 'disk waits');
    bench.complete('EIO');
    bench.run(5_000);
    bench.keepalive();
    bench.run(10_000);
    expect(bench.metadata().incomplete).toBe(true);
    expectAlive(bench);
  });

  it('a plain keepalive says nothing', () => {
    const bench = session();
    bench.keepalive();
    bench.run(5, 'disk waits');
    expect(bench.asked()).toEqual([]);
    expectAlive(bench);
  });
});
