/** `hastsim lesson`: narrated histories on the real core, page by page. */
import { Argument, Command, InvalidArgumentError } from 'commander';
import { jsonOption } from './options.js';
import { playAct } from './lesson-player.js';
import type { PlayedPage } from './lesson-player.js';
import { DIRTY_BIT } from './lessons/dirty-bit.js';
import { FAILBACK } from './lessons/failback.js';
import type { Lesson } from './lessons/lesson.js';
import { MODES } from './lessons/modes.js';
import { RESYNCHRONISATION } from './lessons/resynchronisation.js';
import { SPLIT_BRAIN } from './lessons/split-brain.js';
import type { Terminal } from './terminal.js';
import { indented, wrapped } from './text.js';

export const LESSONS: readonly Lesson[] = [DIRTY_BIT, RESYNCHRONISATION, MODES, SPLIT_BRAIN, FAILBACK];

const TEXT_COLUMNS = 92;
const LEGEND =
  'Below, "dirty" shows the bits of the map (# on the disk, + not flushed yet, - cleared but not flushed) and "copy" the blocks of ' +
  'each extent: a capital letter is on the disk, a small one in its cache, a point is nothing.';

interface LessonOptions {
  readonly pause: boolean;
  readonly json: boolean;
}

export function lessonCommand(terminal: Terminal): Command {
  return new Command('lesson')
    .description('Five narrated histories on the real core, step by step; without a number, list them.')
    .addArgument(new Argument('[n]', 'which one').argParser(parseNumber))
    .option('--no-pause', 'do not wait for Enter')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nLessons:\n${list()}\n\nExamples:\n  hastsim lesson 1\n  hastsim lesson 4 --no-pause | less`,
    )
    .action((number: number | undefined, options: LessonOptions) => teach(number, options, terminal));
}

function parseNumber(text: string): number {
  const number = /^\d$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= LESSONS.length) return number;
  throw new InvalidArgumentError(`Lessons are 1 to ${String(LESSONS.length)}.`);
}

function list(): string {
  return LESSONS.map(({ title }, index) => `  ${String(index + 1)}  ${title}`).join('\n');
}

async function teach(number: number | undefined, options: LessonOptions, terminal: Terminal): Promise<void> {
  const lesson = number === undefined ? undefined : LESSONS[number - 1];
  if (number === undefined || lesson === undefined) {
    const lessons = LESSONS.map(({ title, about }, index) => ({ number: index + 1, title, about }));
    terminal.print(options.json ? JSON.stringify({ lessons }) : list());
    return;
  }
  const { title, about, acts, moral } = lesson;
  const played = acts.map((act) => playAct(act));
  if (options.json) {
    terminal.print(JSON.stringify({ number, title, about, acts: played, moral }));
    return;
  }
  terminal.print(`Lesson ${String(number)}: ${title}\n\n${paragraph(about)}\n\n${paragraph(LEGEND)}\n`);
  const pages = played.flat();
  for (const [index, page] of pages.entries()) {
    if (options.pause && !(await terminal.pause())) return;
    terminal.print(pageText(page, `${String(index + 1)}/${String(pages.length)}`));
  }
  if (options.pause && !(await terminal.pause())) return;
  terminal.print(paragraph(moral));
}

function pageText({ text, steps, happenings, disks, look }: PlayedPage, position: string): string {
  const parts = [
    `-- ${position} ${'-'.repeat(TEXT_COLUMNS - 4 - position.length)}`,
    paragraph(text),
    indented(steps.map((step) => `> ${step}`).join('\n')),
    ...(happenings.length === 0 ? [] : [happenings.join('\n')]),
    indented(disks.join('\n')),
    paragraph(look),
  ];
  return `${parts.join('\n\n')}\n`;
}

function paragraph(text: string): string {
  return wrapped(text, TEXT_COLUMNS);
}
