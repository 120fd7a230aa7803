import { describe, expect, it } from 'vitest';
import { RESOURCE } from '../../properties/request/primary-bench.js';
import { SecondaryBench, type SecondaryOptions } from './secondary-bench.js';

function session(options: SecondaryOptions = {}): SecondaryBench {
  return new SecondaryBench(options).run(50);
}

describe('worker of a secondary', () => {
  it('leaves after 20 s of silence, a keepalive keeps it', () => {
    const bench = session();
    for (let i = 0; i < 3; i++) {
      bench.run(15_000);
      bench.keepalive();
    }
    expect(bench.exitCode).toBeNull();
    bench.run(22_000);
    expect(bench.exitCode).toBe(75);
    expect(bench.events).toEqual(['connect', 'disconnect']);
    expect(bench.log()).toContain('error Unable to receive request header: the primary is silent.');
  });

  it.each(['A', 'B'] as const)('notices at once that connection %s is gone, with nothing to do', (which) => {
    const bench = session();
    bench.hangUp(which);
    bench.run(20);
    expect(bench.exitCode).toBe(75);
    expect(bench.events).toEqual(['connect', 'disconnect']);
  });

  it('leaves when nobody takes its replies for the timeout', () => {
    const bench = session({ resource: { timeout: 5 } });
    bench.connB.connection.pause();
    for (let i = 0; i < 12; i++) bench.request('read', 0, 64);
    for (let second = 0; second < 4; second++) {
      bench.run(1_000);
      bench.keepalive();
    }
    expect(bench.exitCode).toBeNull();
    for (let i = 0; i < 3; i++) {
      bench.run(1_500);
      bench.keepalive();
    }
    expect(bench.exitCode).toBe(75);
  });

  it('has a disk that may take its time: that is not the primary’s silence', () => {
    const bench = session();
    for (let i = 0; i < 256; i++) bench.request('write', i % 64);
    bench.run(60_000, 'disk waits');
    expect(bench.exitCode).toBeNull();
  });

  it('W16: executes and flushes what it has received before it goes', () => {
    const bench = session();
    bench.request('write', 1, 1, { memsync: true, fill: 0x61 });
    bench.request('write', 1, 1, { memsync: true, fill: 0x62 });
    bench.run(5, 'disk waits');
    bench.hangUp('A');
    bench.run(5, 'disk waits');
    expect(bench.exitCode).toBeNull();
    const steps: string[] = [];
    while (bench.exitCode === null) {
      steps.push(...bench.asked().slice(0, 1));
      bench.complete();
      bench.run(2, 'disk waits');
    }
    expect(steps).toEqual(['write map', 'write 1+1', 'write 1+1', 'flush']);
    expect(bench.at(1)).toBe(0x62);
  });

  it('W16: the same when it is told to stop, with exit 0 and without an event', () => {
    const bench = session();
    bench.request('write', 1, 1, { fill: 0x61 });
    bench.run(5, 'disk waits');
    bench.turn(() => bench.worker?.stop());
    bench.request('write', 2, 1, { fill: 0x62 });
    bench.run(20);
    expect([bench.at(1), bench.at(2)]).toEqual([0x61, 0]);
    expect([bench.exitCode, bench.events]).toEqual([0, ['connect']]);
    bench.turn(() => bench.worker?.stop());
  });

  it('goes at once when told to stop before it has answered, or while it says its last word', () => {
    const early = new SecondaryBench();
    early.turn(() => early.worker?.stop());
    early.run(20);
    expect(early.exitCode).toBe(0);

    const late = new SecondaryBench({ attach: { resuid: 9n } });
    late.run(50);
    expect(late.exitCode).toBe(78);
    expect(late.connA.lost).toBe(true);
  });

  it('takes a message before its own answer for a violation', () => {
    const bench = new SecondaryBench();
    bench.hangUp('B');
    bench.run(50);
    expect(bench.exitCode).not.toBeNull();
  });

  it('a message on connection B is a violation', () => {
    const bench = session();
    bench.connB.connection.send([Uint8Array.of(2, 0, 0, 0, 0)]);
    bench.run(20);
    expect(bench.exitCode).toBe(75);
    expect(bench.log()).toContain('unexpected message');
  });

  it('takes new settings for its replies', () => {
    const bench = session();
    bench.turn(() => bench.worker?.reload({ ...RESOURCE, checksum: 'crc32' }));
    bench.request('read');
    bench.run(20);
    expect(bench.connB.answers.at(-1)?.fields['checksum']).toBe('crc32');
  });

  it('reports before it has a session', () => {
    const bench = new SecondaryBench();
    expect(bench.worker?.status()).toMatchObject({ localQueue: 0, writes: 0 });
  });
});
