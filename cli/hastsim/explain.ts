/** `hastsim explain`: how it came to a violation, for people, for a drawing, or for another program. */
import { Command, Option } from 'commander';
import { explain as explainScript } from '../../sim/tools/explain.js';
import type { ExplainFormat } from '../../sim/tools/explain.js';
import { asOption, profileOption } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import { parseBlock } from './options.js';
import { SIMULATOR } from './simulator-port.js';
import { openSubject, subjectArgument } from './subject.js';
import type { Subject } from './subject.js';
import type { Terminal } from './terminal.js';

interface ExplainCommandOptions extends ChoiceOptions {
  readonly format: ExplainFormat;
  readonly json?: true;
  readonly verbose?: true;
  readonly block?: number;
}

export function explainCommand(terminal: Terminal): Command {
  const formats: readonly ExplainFormat[] = ['text', 'mermaid', 'json'];
  return new Command('explain')
    .description(
      'Tell what happened in a history: a timeline, the story of the block at fault, and what led to the violation.',
    )
    .addArgument(subjectArgument())
    .addOption(
      new Option('-f, --format <format>', 'text, a sequence diagram, or JSON')
        .choices(formats)
        .default('text'),
    )
    .option('-v, --verbose', 'everything, not only what matters for the violation')
    .option(
      '-b, --block <n>',
      'the block whose story is told (default: that of the first violation)',
      parseBlock,
    )
    .addOption(profileOption())
    .addOption(asOption())
    .option('--json', 'the same as --format json')
    .addHelpText(
      'after',
      `
It is best to shrink a seed first: a story of ten lines is read, one of a thousand is not.

Examples:
  hastsim shrink 4711 -o bug.hast && hastsim explain bug.hast
  hastsim explain bug.hast --format mermaid > bug.mmd
  hastsim explain test/scenarios/life-08-failback.hast --block 7 --verbose`,
    )
    .action((subject: Subject, options: ExplainCommandOptions) => explain(subject, options, terminal));
}

async function explain(
  subject: Subject,
  { format, json, verbose, block, ...choice }: ExplainCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const { script, simulator } = await openSubject(subject, choice, SIMULATOR);
  const story = explainScript(script, json === true ? 'json' : format, {
    cores: simulator.cores,
    ...(verbose === undefined ? {} : { verbose }),
    ...(block === undefined ? {} : { block }),
  });
  terminal.print(story.trimEnd());
}
