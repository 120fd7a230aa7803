import { describe, expect, it } from 'vitest';
import { BufferPool, ByteQueue } from '../../sim/byte-queue.js';
import { Random } from '../../sim/random.js';

describe('byte queue', () => {
  it('is a queue of bytes, whatever is pushed, taken and dropped, beside others of the same pool', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed, 'queue');
      const pool = new BufferPool();
      const pairs = [0, 1, 2].map(() => ({ queue: new ByteQueue(pool), model: [] as number[] }));
      for (let step = 0; step < 300; step++) {
        const pair = pairs[random.below(3)];
        if (pair === undefined) throw new Error('no queue');
        const { queue, model } = pair;
        const count = random.below(random.chance(1, 4) ? 9000 : 60);
        const source = new Uint8Array(count + random.below(3));
        random.fill(source);
        const less = Math.min(count, queue.length);
        if (random.chance(1, 2)) {
          queue.push(source, count);
          model.push(...source.subarray(0, count));
        } else if (random.chance(1, 5)) {
          queue.drop(less);
          model.splice(0, less);
        } else {
          const target = new Uint8Array(less + 1).fill(255);
          queue.take(target, less);
          expect([...target]).toEqual([...model.splice(0, less), 255]);
        }
        expect(queue.length).toBe(model.length);
      }
    }
  });
});
