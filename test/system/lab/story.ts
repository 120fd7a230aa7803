/** A system test: a story told in a lab of its own, which is gone afterwards whatever happened. */
import { it } from 'vitest';
import { canRun } from '../nbd-clients-tools.js';
import { Lab } from './lab.js';
import type { LabOptions } from './lab.js';

/** What the lab itself needs. */
const PROGRAMS = ['unshare', 'nsenter', 'ip', 'nft', 'nbdfuse', 'fusermount3', 'losetup'];
const DEVICES = ['/dev/fuse', '/dev/loop-control'];
const DEFAULT_LIMIT_MS = 120_000;

/** To end what is left of a story that took too long, and to show its logs. */
const CLOSING_MS = 60_000;

export interface StoryOptions extends LabOptions {
  /** Programs it needs besides those of the lab. */
  readonly needs?: readonly string[];
  readonly limitMs?: number;
  /** It mostly waits: it may go on together with its neighbours in the file, and is printed when it has ended. */
  readonly alongside?: boolean;
}

/** Declares a test. Nothing of the lab runs yet when `tell` begins. */
export function story(title: string, options: StoryOptions, tell: (lab: Lab) => Promise<void>): void {
  const possible = canRun(title, [...PROGRAMS, ...(options.needs ?? [])], DEVICES);
  const { alongside = false, limitMs = DEFAULT_LIMIT_MS } = options;
  it(title, { skip: !possible, concurrent: alongside, timeout: limitMs + CLOSING_MS }, async () => {
    let text = `\n${title}\n`;
    const flush = (): void => {
      process.stdout.write(text);
      text = '';
    };
    const lab = new Lab(options, (line) => {
      text += `${line}\n`;
      if (!alongside) flush();
    });
    try {
      await perform(lab, tell, limitMs);
    } finally {
      flush();
    }
  });
}

async function perform(lab: Lab, tell: (lab: Lab) => Promise<void>, limitMs: number): Promise<void> {
  let failed = true;
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      reject(new Error(`the story has not ended after ${limitMs / 1000} s`));
    }, limitMs);
  });
  try {
    await Promise.race([tell(lab), late]);
    lab.say('the end');
    failed = false;
  } finally {
    clearTimeout(limit);
    await lab.close(failed);
  }
}
