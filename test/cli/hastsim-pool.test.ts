import { expect, test } from 'vitest';
import { Pool } from '../../cli/hastsim/pool.js';
import type { ItemReport, Items } from './pool-items.js';

interface Course {
  readonly done: number[];
  readonly dead: { readonly item: number; readonly why: string }[];
  readonly pool: Pool<ItemReport>;
}

function prepare(
  items: Items,
  count: number,
  onReport: (report: ItemReport) => void = () => undefined,
): Course {
  const done: number[] = [];
  const dead: { item: number; why: string }[] = [];
  const pool = new Pool<ItemReport>({
    module: new URL('./pool-items.js', import.meta.url),
    data: items,
    count,
    jobs: 2,
    itemLimitMs: 500,
    onReport: (report) => {
      done.push(report.item);
      onReport(report);
    },
    onDeath: (item, why) => void dead.push({ item, why }),
  });
  return { done, dead, pool };
}

const upTo = (count: number): number[] => [...Array(count).keys()];
const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

test('every item is done once', async () => {
  const { pool, done, dead } = prepare({}, 500);
  await pool.run();
  expect(ascending(done)).toEqual(upTo(500));
  expect(dead).toEqual([]);
});

test('no items: nothing to do', async () => {
  const { pool, done } = prepare({}, 0);
  await pool.run();
  expect(done).toEqual([]);
});

test('an item that throws, ends the process or never ends is a dead one; the others are done', async () => {
  const { pool, done, dead } = prepare({ throws: 3, exits: 5, hangs: 8 }, 20);
  await pool.run();
  expect(ascending(done)).toEqual(upTo(20).filter((item) => ![3, 5, 8].includes(item)));
  expect(dead).toHaveLength(3);
  const whyOf = (item: number): string | undefined => dead.find((death) => death.item === item)?.why;
  expect(whyOf(3)).toContain('a bad item');
  expect(whyOf(5)).toBe('the thread ended with status 3');
  expect(whyOf(8)).toBe('no end after 1 s');
});

test('work that cannot begin is an error of the pool', async () => {
  const { pool } = prepare({ opens: false }, 20);
  await expect(pool.run()).rejects.toThrow('nothing to open');
});

test('stopped, it ends early; an item under way is told so', async () => {
  const reports: ItemReport[] = [];
  const { pool, done, dead } = prepare({ lasts: 40 }, 1_000_000_000, (report) => {
    reports.push(report);
    if (reports.length === 100) pool.stop();
  });
  await pool.run();
  expect(done.length).toBeGreaterThanOrEqual(100);
  expect(reports.find(({ item }) => item === 40)?.wentOn).toBe(false);
  expect(dead).toEqual([]);
});

test('stopped before it began, it does nothing', async () => {
  const { pool, done } = prepare({}, 1000);
  pool.stop();
  await pool.run();
  expect(done).toEqual([]);
});
