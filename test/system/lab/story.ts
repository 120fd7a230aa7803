/** A system test: a story told in a lab of its own, which is gone afterwards whatever happened. */
import { it } from 'vitest';
import { canRun } from '../nbd-clients-tools.js';
import { Lab } from './lab.js';
import type { LabOptions } from './lab.js';

/** What the lab itself needs. */
const PROGRAMS = ['unshare', 'nsenter', 'ip', 'nft', 'nbdfuse', 'fusermount3', 'losetup'];
const DEVICES = ['/dev/fuse', '/dev/loop-control'];
const DEFAULT_LIMIT_MS = 120_000;

export interface StoryOptions extends LabOptions {
  /** Programs it needs besides those of the lab. */
  readonly needs?: readonly string[];
  readonly limitMs?: number;
}

/** Declares a test. Nothing of the lab runs yet when `tell` begins. */
export function story(title: string, options: StoryOptions, tell: (lab: Lab) => Promise<void>): void {
  const possible = canRun(title, [...PROGRAMS, ...(options.needs ?? [])], DEVICES);
  it.runIf(possible)(
    title,
    async () => {
      const lab = new Lab(options);
      process.stdout.write(`\n${title}\n`);
      let failed = true;
      try {
        await tell(lab);
        lab.say('the end');
        failed = false;
      } finally {
        await lab.close(failed);
      }
    },
    options.limitMs ?? DEFAULT_LIMIT_MS,
  );
}
