/** `hastsim script`, `profiles` and `marks`: what a seed gives, which kinds of histories there are, what they can reach. */
import { Command } from 'commander';
import { MARKS } from '../../sim/marks.js';
import { PROFILES } from '../../sim/nemesis/profiles.js';
import { printScript } from '../../sim/script/print.js';
import { asOption, profileOption } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import { jsonOption } from './options.js';
import { SIMULATOR } from './simulator-port.js';
import { openSubject, subjectArgument } from './subject.js';
import type { Subject } from './subject.js';
import type { Terminal } from './terminal.js';

interface ListingOptions {
  readonly json: boolean;
}

export function scriptCommand(terminal: Terminal): Command {
  return new Command('script')
    .description('Print the script of a seed, or a file without its shorthands.')
    .addArgument(subjectArgument())
    .addOption(profileOption())
    .addOption(asOption())
    .addHelpText(
      'after',
      `
The language: sim/script/README.md.

Examples:
  hastsim script 42 > long.hast
  hastsim script test/scenarios/life-08-failback.hast`,
    )
    .action(async (subject: Subject, options: ChoiceOptions) => {
      const { script } = await openSubject(subject, options, SIMULATOR);
      terminal.print(printScript(script).trimEnd());
    });
}

export function profilesCommand(terminal: Terminal): Command {
  return new Command('profiles')
    .description('List the kinds of histories: values of --profile.')
    .addOption(jsonOption())
    .action(({ json }: ListingOptions) => {
      const profiles = PROFILES.map(({ name, about }) => ({ name, about }));
      if (json) terminal.print(JSON.stringify({ profiles }));
      const width = Math.max(...profiles.map(({ name }) => name.length));
      if (!json) for (const { name, about } of profiles) terminal.print(`${name.padEnd(width)}  ${about}`);
    });
}

export function marksCommand(terminal: Terminal): Command {
  return new Command('marks')
    .description('List the situations that a good search has met; `hastsim fuzz` tells which it has not.')
    .addOption(jsonOption())
    .action(({ json }: ListingOptions) => {
      if (json) terminal.print(JSON.stringify({ marks: MARKS }));
      else for (const mark of MARKS) terminal.print(mark);
    });
}
