import fc from 'fast-check';
import { expect, test } from 'vitest';
import { daemonConfig, DaemonWorld, resourceConfig, type TestPeer } from './daemon-world.js';
import { attachFrame, connect, greet, helloFrame } from './primary-side.js';

/** Well-formed openings with a few bytes damaged get further than random bytes. */
const openings = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(
      fc.constantFrom(helloFrame(), helloFrame('nope'), attachFrame(new Uint8Array(16)), helloFrame('r1', 1)),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
      fc.uint8Array({ maxLength: 20 }),
    )
    .map(([frame, damage, beyond]) => {
      const bytes = Uint8Array.from([...frame, ...beyond]);
      for (const [at, value] of damage) if (at < bytes.length) bytes[at] = value;
      return bytes;
    }),
);

const noise = fc.array(
  fc.record({
    bytes: openings,
    cuts: fc.array(fc.nat(200), { maxLength: 3 }),
    pauseMs: fc.nat(3_000),
    closes: fc.boolean(),
  }),
  { maxLength: 12 },
);

test('whatever peers say, the daemon lives and others are served', () => {
  fc.assert(
    fc.property(noise, fc.nat(1000), (peers, seed) => {
      const config = daemonConfig({ resources: [resourceConfig(), resourceConfig({ name: 'r1' })] });
      const world = new DaemonWorld(config, seed);
      world.start();
      world.role('secondary');
      const { connA, connB } = connect(world);
      const noisy: TestPeer[] = [];
      for (const { bytes, cuts, pauseMs, closes } of peers) {
        const peer = world.peer();
        noisy.push(peer);
        let sent = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
          if (cut > sent) peer.send(bytes.slice(sent, cut));
          sent = Math.max(sent, cut);
          world.run(pauseMs);
        }
        if (closes) peer.close();
      }
      expect(world.worker(0).stops).toBe(0);
      expect(connA.closed || connB.closed).toBe(false);
      expect(world.workers).toHaveLength(1);
      expect(world.logged('Internal error')).toBe(0);

      const { token } = greet(world);
      const next = world.peer();
      next.send(attachFrame(token));
      world.run(100);
      expect(world.workers).toHaveLength(2);

      world.run(130_000);
      expect(noisy.filter(({ closed }) => !closed)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('whatever hastctl says, the daemon lives and others are served', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 }), (requests) => {
      const world = new DaemonWorld();
      world.start();
      const noisy = requests.map((bytes) => {
        const client = world.client('/var/run/hastctl');
        client.send(bytes);
        return client;
      });
      world.run(10);
      const status = world.control({ kind: 'status', names: 'all' });
      world.run(10);
      expect(status.answer()).toMatchObject({ resource0: 'r0' });
      expect(world.logged('Internal error')).toBe(0);
      world.run(21_000);
      expect(noisy.every(({ closed }) => closed)).toBe(true);
    }),
  );
});
