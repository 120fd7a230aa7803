/** The command line of hastsim: its commands, and what becomes of mistakes in it. */
import { Command, CommanderError } from 'commander';
import type { EventEmitter } from 'node:events';
import { EX_OK, EX_USAGE } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { explainCommand } from './explain.js';
import { exploreCommand } from './explore.js';
import { fuzzCommand } from './fuzz.js';
import { benchCommand } from './bench.js';
import { crashpointsCommand } from './crashpoints.js';
import { determinismCommand } from './determinism.js';
import { lessonCommand } from './lesson.js';
import { marksCommand, profilesCommand, scriptCommand } from './listings.js';
import { mutantsCommand } from './mutants.js';
import { replayCommand, runCommand } from './run.js';
import { shrinkCommand } from './shrink.js';
import { Terminal } from './terminal.js';
import type { Streams } from './terminal.js';

const ABOUT =
  'Simulates whole HAST clusters on the production core: a seed is a history of two nodes with crashes, bad disks and ' +
  'cut networks, and the same seed is always the same history. Judges outside the nodes tell when an invariant of ' +
  'core/spec/replication.md section 14 does not hold.';

const EXAMPLES = `
Examples:
  hastsim fuzz --seeds 10000       look for a history that breaks an invariant
  hastsim replay 4711              run one again, with everything that happens in it
  hastsim shrink 4711 > bug.hast   what is left of it when it is made short
  hastsim explain bug.hast         how it came to that
  hastsim lesson 1                 why a bitmap must be durable first

Exit status: 0, 1 when an invariant was broken, 64 and above as in sysexits(3), 130 when interrupted.`;

/** Runs `hastsim ARGV`; the exit status. `signals` emits SIGINT. */
export async function hastsim(
  argv: readonly string[],
  streams: Streams,
  signals: EventEmitter,
): Promise<number> {
  const terminal = new Terminal(streams, signals);
  try {
    await hastsimCommand(terminal, streams).parseAsync(argv, { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EX_OK : EX_USAGE;
    if (!(error instanceof Failure)) throw error;
    terminal.note(`hastsim: ${error.message}`);
    return error.exitCode;
  }
}

export function hastsimCommand(terminal: Terminal, streams: Streams): Command {
  const hastsim = new Command('hastsim')
    .description(ABOUT)
    .addHelpText('after', EXAMPLES)
    .helpCommand('help [command]', 'show what a command does');
  const commands = [
    fuzzCommand,
    runCommand,
    replayCommand,
    shrinkCommand,
    explainCommand,
    crashpointsCommand,
    exploreCommand,
    determinismCommand,
    mutantsCommand,
    benchCommand,
    lessonCommand,
    scriptCommand,
    profilesCommand,
    marksCommand,
  ].map((command) => command(terminal));
  for (const command of commands) hastsim.addCommand(command);
  for (const command of [hastsim, ...commands]) {
    command
      .helpOption('-h, --help', 'show this')
      .showHelpAfterError(`(try: hastsim help ${command === hastsim ? '' : command.name()})`)
      .exitOverride()
      .configureOutput({
        writeOut: (text) => void streams.stdout.write(text),
        writeErr: (text) => void streams.stderr.write(text),
      });
  }
  return hastsim;
}
