/** A script together with what was found wrong when it ran: how failures are shown. */
import type { Violation } from '../world/result.js';
import { printDuration } from './quantities.js';
import { printStep } from './print.js';
import type { Script } from './script.js';
import { printSetup } from './setup-text.js';

/** The text of the script, with each violation as a comment below the step that was under way; it can be replayed. */
export function annotateScript({ setup, steps }: Script, violations: readonly Violation[]): string {
  const lines = steps.map((step, index) => {
    const found = violations.filter((violation) => violation.step === index).map(printViolation);
    return [printStep(step), ...found].join('\n');
  });
  return `${printSetup(setup)}${lines.join('\n')}\n`;
}

function printViolation({ invariant, text, atMs }: Violation): string {
  const time = printDuration(Math.round(atMs));
  return `# ^^^ ${invariant} at ${time}: ${text.replaceAll('\n', '\n#     ')}`;
}
