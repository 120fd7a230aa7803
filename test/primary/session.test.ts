import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../core/wire/frame.js';
import { nv } from '../../core/wire/nv.js';
import { encodeReply } from '../../core/wire/request-messages.js';
import { PrimaryBench, RESOURCE, SECTOR, type BenchOptions } from '../../properties/request/primary-bench.js';
import type { PeerRequest } from '../../properties/request/scripted-secondary.js';

/** A primary with a session; the peer answers nothing by itself. */
function connected(options: BenchOptions = {}): PrimaryBench {
  const bench = new PrimaryBench(options);
  bench.connect();
  return bench;
}

function heard(bench: PrimaryBench, at = 0): PeerRequest {
  const request = bench.peer.requests[at];
  if (request === undefined) throw new Error('the peer has heard nothing');
  return request;
}

/** A write that is done here, and whose message the peer has. */
function written(bench: PrimaryBench, length = SECTOR): number {
  const id = bench.submit('write', 0, length);
  bench.run(5, 'disk works');
  return id;
}

function isUp(bench: PrimaryBench): boolean {
  return bench.parts.link.session !== null;
}

describe('session', () => {
  it('W29: never uses a sequence number twice, not even in the next session', () => {
    const bench = connected();
    const seen: number[] = [];
    bench.peer.heard = ({ seq }) => seen.push(seq);
    bench.peer.automatic = true;
    for (let i = 0; i < 3; i++) written(bench);
    bench.peer.drop();
    bench.run(12_000, 'disk works');
    expect(bench.peer.sessions).toBe(2);
    written(bench);
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).not.toContain(0);
  });

  it('matches replies by number, in any order', () => {
    const bench = connected();
    const ids = [bench.submit('write', 0), bench.submit('write', 8 * SECTOR)];
    bench.run(5, 'disk works');
    bench.peer.execute(heard(bench, 1));
    bench.run(5, 'disk works');
    expect(ids.map((id) => bench.answer(id))).toEqual([null, 'ok']);
    bench.peer.execute(heard(bench));
    bench.run(5, 'disk works');
    expect(bench.answer(ids[0] ?? 0)).toBe('ok');
  });

  it('ignores a reply to nobody, with a line in the log', () => {
    const bench = connected();
    const id = written(bench);
    for (const seq of [0, 4711]) {
      bench.peer.sendOnB(encodeFrame(2, encodeReply({ seq, received: false, error: null })));
    }
    bench.run(5);
    expect(bench.log()).toContain('Reply to an unknown request (seq=4711) ignored.');
    expect(isUp(bench)).toBe(true);
    bench.peer.execute(heard(bench));
    bench.run(5);
    expect(bench.answer(id)).toBe('ok');
  });

  it('memsync: `received` comes before the final reply, and counts once', () => {
    const bench = connected({ resource: { replication: 'memsync' } });
    const id = written(bench);
    const request = heard(bench);
    expect(request.memsync).toBe(true);
    expect(bench.answer(id)).toBeNull();
    bench.peer.reply(request, { received: true });
    bench.peer.reply(request, { received: true });
    bench.run(5);
    expect(bench.answer(id)).toBe('ok');
    expect(bench.parts.intake.busy).toBe(1);
    bench.peer.execute({ ...request, memsync: false });
    bench.run(5);
    expect(bench.parts.intake.busy).toBe(0);
  });

  it('memsync: an error instead of `received` ends the request (W1)', () => {
    const bench = connected({ resource: { replication: 'memsync' } });
    const id = written(bench);
    bench.peer.reply(heard(bench), { received: true, error: 'EIO' });
    bench.run(5, 'disk works');
    expect(bench.answer(id)).toBe('ok');
    expect(bench.parts.map.needsSync(0)).toBe(true);
    expect(bench.parts.statistics.remoteErrors).toBe(1);
    expect(isUp(bench)).toBe(false);
  });

  it('speaks to a peer of version 1 without memsync (W26)', () => {
    const bench = new PrimaryBench({ resource: { replication: 'memsync' } });
    bench.peer.version = 1;
    bench.connect();
    expect(bench.parts.link.session?.version).toBe(1);
    written(bench);
    expect(heard(bench).memsync).toBe(false);
  });
});

describe('session, what is silent', () => {
  it('sends a keepalive when it has sent nothing for 10 s', () => {
    const bench = connected();
    bench.run(9_900);
    expect(bench.peer.keepalives).toEqual([]);
    bench.run(1_200);
    expect(bench.peer.keepalives).toEqual([null]);
  });

  it('W30: probes a peer that has said nothing for 10 s with a READ, and loses it when that is not answered', () => {
    const bench = connected({ resource: { timeout: 15 } });
    bench.run(11_100);
    expect(bench.peer.requests).toMatchObject([{ command: 'read', offset: 0, length: SECTOR }]);
    bench.run(13_000);
    expect(isUp(bench)).toBe(true);
    // Looked after once in a second.
    bench.run(2_500);
    expect(isUp(bench)).toBe(false);
    expect(bench.events).toEqual(['connect', 'disconnect']);
    expect(bench.log()).toContain('(the peer does not answer)');
  });

  it('a peer that answers its probes stays', () => {
    const bench = connected();
    bench.peer.automatic = true;
    bench.run(120_000);
    expect(isUp(bench)).toBe(true);
    expect(bench.parts.link.session?.outstanding).toBe(0);
  });

  it('W30: notices at once that either connection is gone, with nothing to do', () => {
    for (const which of ['A', 'B'] as const) {
      const bench = connected();
      bench.peer.drop(which);
      bench.run(10);
      expect(isUp(bench)).toBe(false);
    }
  });

  it('loses a peer that answers everything but one request', () => {
    const bench = connected({ resource: { timeout: 5 } });
    written(bench);
    const overdue = heard(bench);
    for (let second = 0; second < 24; second++) {
      const id = bench.submit('write', 8 * SECTOR);
      bench.run(1_000, 'disk works');
      for (const request of bench.peer.requests.filter((one) => one !== overdue)) bench.peer.execute(request);
      bench.run(5, 'disk works');
      expect(bench.answer(id)).toBe('ok');
    }
    expect(isUp(bench)).toBe(true);
    bench.run(3_000);
    expect(isUp(bench)).toBe(false);
  });

  it('loses a peer that takes no bytes', () => {
    const bench = connected({ extents: 256, maxRequestBytes: 65_536, resource: { timeout: 5 } });
    bench.peer.stall();
    for (let i = 0; i < 16; i++) bench.submit('write', i * 65_536, 65_536);
    bench.run(1_000, 'disk works');
    expect(isUp(bench)).toBe(true);
    bench.run(6_000, 'disk works');
    expect(isUp(bench)).toBe(false);
    expect(bench.parts.map.syncCount).toBe(256);
  });
});

describe('session, what cannot be', () => {
  const cases: readonly (readonly [string, (bench: PrimaryBench, read: PeerRequest) => void])[] = [
    [
      'data shorter than asked for',
      (bench, read) => {
        bench.peer.reply(read, { data: new Uint8Array(SECTOR) });
      },
    ],
    [
      'data longer than asked for',
      (bench, read) => {
        bench.peer.reply(read, { data: new Uint8Array(4 * SECTOR) });
      },
    ],
    [
      'no data',
      (bench, { seq }) => {
        bench.peer.sendOnB(encodeFrame(2, encodeReply({ seq, received: false, error: null })));
      },
    ],
    [
      'data of a compression that nobody knows',
      (bench, { seq }) => {
        const fields = encodeReply({ seq, received: false, error: null });
        bench.peer.sendOnB(
          encodeFrame(2, [...fields, nv.string('compression', 'zip'), nv.uint32('size', 4)]),
        );
      },
    ],
    [
      'data with a wrong checksum',
      (bench, { seq }) => {
        const fields = encodeReply({ seq, received: false, error: null });
        const sum = [nv.string('checksum', 'crc32'), nv.bytes('hash', new Uint8Array(4))];
        bench.peer.sendOnB(
          encodeFrame(2, [...fields, ...sum, nv.uint32('size', 1024)]),
          new Uint8Array(1024).fill(1),
        );
      },
    ],
    [
      'a list that is none',
      (bench) => {
        bench.peer.sendOnB(Uint8Array.of(2, 8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0));
      },
    ],
    [
      'a version that nobody speaks',
      (bench) => {
        bench.peer.sendOnB(Uint8Array.of(9, 0, 0, 0, 0));
      },
    ],
    [
      'a message on the request connection',
      (bench) => {
        bench.peer.sendOnA(encodeFrame(2, encodeReply({ seq: 1, received: false, error: null })));
      },
    ],
  ];
  it.each(cases)(
    'a READ answered with %s ends the session, and never the request with those bytes (W22)',
    (_, answer) => {
      const bench = connected();
      const id = bench.submit('read', 0, 2 * SECTOR);
      const order = bench.disk.orders[0];
      if (order === undefined) throw new Error('nothing was read');
      bench.disk.complete(order, 'EIO');
      bench.run(5);
      answer(bench, heard(bench));
      bench.run(10);
      expect(isUp(bench)).toBe(false);
      expect(bench.answer(id)).toBe('EIO');
      expect(bench.events).toEqual(['connect', 'disconnect']);
    },
  );

  it('N12: half of an answer is none', () => {
    const bench = connected();
    const id = bench.submit('read', 0, 2 * SECTOR);
    const order = bench.disk.orders[0];
    if (order === undefined) throw new Error('nothing was read');
    bench.disk.complete(order, 'EIO');
    bench.run(5);
    const { seq } = heard(bench);
    const fields = [...encodeReply({ seq, received: false, error: null }), nv.uint32('size', 2 * SECTOR)];
    bench.peer.sendOnB(encodeFrame(2, fields), new Uint8Array(SECTOR).fill(0xee));
    bench.run(5);
    bench.peer.drop();
    bench.run(10);
    expect(bench.answer(id)).toBe('EIO');
  });

  it('opens what was compressed and checksummed', () => {
    const bench = connected();
    bench.peer.settings = { compression: 'hole', checksum: 'sha256' };
    bench.peer.automatic = true;
    const id = bench.submit('read', 0, 2 * SECTOR);
    bench.buffers.get(id)?.fill(0xee);
    const order = bench.disk.orders[0];
    if (order === undefined) throw new Error('nothing was read');
    bench.disk.complete(order, 'EIO');
    bench.run(10, 'disk works');
    expect(bench.answer(id)).toBe('ok');
    expect(bench.buffers.get(id)?.every((byte) => byte === 0)).toBe(true);
  });
});

describe('session, live reload', () => {
  it('uses the new checksum and compression for what it sends from now on', () => {
    const bench = connected({ maxRequestBytes: 4096 });
    bench.turn(() =>
      bench.parts.link.session?.reload({ ...RESOURCE, checksum: 'crc32', compression: 'lzf' }),
    );
    const id = written(bench, 4096);
    const { data } = heard(bench);
    expect(data).toEqual(bench.buffers.get(id));
  });

  it('async: sends a copy, since the application may reuse its buffer after the answer', () => {
    const bench = connected({ resource: { replication: 'async' } });
    const id = bench.submit('write', 0);
    bench.disk.completeAll();
    expect(bench.answer(id)).toBe('ok');
    bench.buffers.get(id)?.fill(0xee);
    bench.run(5);
    expect(heard(bench).data.includes(0xee)).toBe(false);
  });
});
