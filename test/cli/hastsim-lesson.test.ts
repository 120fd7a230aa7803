import { expect, test } from 'vitest';
import { playAct } from '../../cli/hastsim/lesson-player.js';
import { LESSONS } from '../../cli/hastsim/lesson.js';
import { DIRTY_BIT } from '../../cli/hastsim/lessons/dirty-bit.js';
import { runHastsim } from './run-hastsim.js';

test.each(LESSONS)('$title: it goes as it is told', async ({ title, acts, moral }) => {
  const played = acts.map((act) => playAct(act));
  expect(acts.map((act) => playAct(act))).toEqual(played);
  for (const { steps, disks } of played.flat()) {
    expect(steps).not.toEqual([]);
    expect(disks).toHaveLength(3);
  }
  const number = String(LESSONS.findIndex((lesson) => lesson.title === title) + 1);
  const { exit, stdout } = await runHastsim('lesson', number);
  expect(exit).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Lesson ${number}: `));
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(moral);
});

test('the bit comes before the data, the answer last', () => {
  const [, write] = DIRTY_BIT.acts.flatMap((act) => playAct(act));
  const texts = (write?.happenings ?? []).map((line) =>
    line.replace(/^.* ms {2}/, '').replaceAll(/\s+/g, ' '),
  );
  const order = [
    'app > a write 0 = A',
    'disk a map +0',
    'disk a flushed',
    'disk a 0 = A',
    'a > app write 0 = A: done',
  ];
  expect(texts.filter((text) => order.includes(text))).toEqual(order);
  expect(write?.disks[1]).toMatch(/^a +primary +a0 b0 +#\.\.\. +a\.\.\.\|/);
});

test('without a number: a list', async () => {
  const { stdout } = await runHastsim('lesson');
  expect(stdout.trimEnd().split('\n')).toEqual(
    LESSONS.map(({ title }, index) => `  ${String(index + 1)}  ${title}`),
  );
});

test('as JSON', async () => {
  const lesson = JSON.parse((await runHastsim('lesson', '4', '--json')).stdout) as { acts: unknown[][] };
  expect(lesson).toMatchObject({ number: 4, title: LESSONS[3]?.title });
  expect(lesson.acts[0]?.[0]).toHaveProperty('disks');
});

test('there are five', async () => {
  expect(LESSONS).toHaveLength(5);
  const { exit, stderr } = await runHastsim('lesson', '6');
  expect(exit).toBe(64);
  expect(stderr).toContain('Lessons are 1 to 5.');
});
