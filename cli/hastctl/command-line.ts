/**
 * The command line of hastctl (core/spec/cli.md section 1): a subcommand, its options, operands. Commander declares
 * them and writes `hastctl help`; how they are read, and what is said about mistakes, is the reference's.
 */
import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_CONFIG_PATH, DEFAULT_RUN_DIR } from '../../core/config/defaults.js';
import { EX_OK, EX_USAGE } from '../exit-codes.js';
import { parseSize } from '../format.js';
import { isRefusal, readOptions } from '../getopt.js';
import type { Refusal } from '../getopt.js';

/** Options of every subcommand. */
interface CommonOptions {
  readonly config: string;
  /** How often -d was given. */
  readonly debug: number;
  /** `--node`, or absent: the host's own names. */
  readonly node?: string;
  readonly runDir: string;
}

export interface CreateOptions extends CommonOptions {
  /** Bytes, count, bytes; 0 or absent: the default. Signed 64 bits. */
  readonly extentsize?: bigint;
  readonly keepdirty?: bigint;
  readonly mediasize?: bigint;
}

interface RoleOptions extends CommonOptions {
  readonly force?: true;
}

interface StatusOptions extends CommonOptions {
  readonly json?: true;
}

/** What was asked for; operands are checked by whoever uses them, after the configuration was read. */
export type CommandLine =
  | { readonly command: 'create'; readonly options: CreateOptions; readonly operands: readonly string[] }
  | { readonly command: 'role'; readonly options: RoleOptions; readonly operands: readonly string[] }
  | {
      readonly command: 'list' | 'status';
      readonly options: StatusOptions;
      readonly operands: readonly string[];
    }
  | {
      readonly command: 'dump' | 'stop';
      readonly options: CommonOptions;
      readonly operands: readonly string[];
    }
  | Ending;

/** There is nothing to do but to print and exit. */
export interface Ending {
  readonly command: null;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const USAGE = `usage: hastctl create [-d] [-c config] [-e extentsize] [-k keepdirty]
\t\t[-m mediasize] name ...
       hastctl role [-d] [-c config] <init | primary | secondary> all | name ...
       hastctl list [-d] [-c config] [all | name ...]
       hastctl status [-d] [-c config] [all | name ...]
       hastctl dump [-d] [-c config] [all | name ...]
`;

export function usage(complaint: string | null = null): Ending {
  const stderr = complaint === null ? USAGE : `hastctl: ${complaint}\n${USAGE}`;
  return { command: null, exitCode: EX_USAGE, stdout: '', stderr };
}

export function parseCommandLine(argv: readonly string[]): CommandLine {
  const [name, ...args] = argv;
  const hastctl = hastctlCommand();
  if (name === 'help' || name === '--help') return helpOn(hastctl, args[0]);
  const subcommand = subcommandOf(hastctl, name);
  if (subcommand === null) return usage();

  const operands = readOptions(subcommand, args);
  if (isRefusal(operands)) return refused(subcommand, operands);
  return interpret(subcommand, operands);
}

function refused(subcommand: Command, refusal: Refusal): Ending {
  switch (refusal.kind) {
    case 'help':
      return help(subcommand);
    case 'usage':
      return usage(refusal.complaint);
    case 'value':
      return { command: null, exitCode: EX_USAGE, stdout: '', stderr: `hastctl: ${refusal.complaint}\n` };
  }
}

function interpret(subcommand: Command, operands: readonly string[]): CommandLine {
  const name = subcommand.name();
  switch (name) {
    case 'create':
      return operands.length === 0 ? usage() : { command: name, options: subcommand.opts(), operands };
    case 'role':
      return operands.length === 0 ? usage() : { command: name, options: subcommand.opts(), operands };
    case 'stop':
      return operands.length > 0 ? usage() : { command: name, options: subcommand.opts(), operands };
    case 'list':
    case 'status':
      return { command: name, options: subcommand.opts(), operands };
    case 'dump':
      return { command: name, options: subcommand.opts(), operands };
    default:
      return usage();
  }
}

/** What is understood, `-h` and `help` apart. */
export function hastctlCommand(): Command {
  const hastctl = new Command('hastctl')
    .description('Control utility of hastd.')
    .usage('<command> [options] ...')
    .helpOption('--help', 'show this');
  const add = (name: string, summary: string): Command =>
    hastctl
      .command(name)
      .description(summary)
      .option('-d, --debug', 'say more (repeat for still more)', (_: string, level: number) => level + 1, 0)
      .option('-c, --config <file>', 'configuration file', DEFAULT_CONFIG_PATH)
      .option('--node <name>', 'name of this node in the configuration, instead of the names of the host')
      .option('--run-dir <dir>', 'where control socket and pidfile are by default', DEFAULT_RUN_DIR);
  add('create', 'Initialize the local components of resources.')
    .argument('<name...>')
    .option('-e, --extentsize <size>', 'bytes per extent (default: 2M)', sizeOf('extentsize'))
    .option(
      '-k, --keepdirty <count>',
      'recently written extents kept dirty (default: 64)',
      sizeOf('keepdirty'),
    )
    .option('-m, --mediasize <size>', 'bytes of the component to use (default: all)', sizeOf('mediasize'));
  add('role', 'Change the role of resources.')
    .argument('<init|primary|secondary>')
    .argument('<all|name...>')
    .option('-f, --force', 'primary: offer the device even though the local copy is incomplete');
  add('list', 'Show everything about resources.').argument('[all|name...]').option('--json', 'print JSON');
  add('status', 'Show the state of resources, one line each.')
    .argument('[all|name...]')
    .option('--json', 'print JSON');
  add('dump', 'Show the metadata stored on the local components.').argument('[all|name...]');
  add('stop', 'Stop hastd and wait until it is gone.');
  return hastctl;
}

function sizeOf(what: string): (text: string) => bigint {
  return (text) => {
    const size = parseSize(text);
    if (size === null) throw new InvalidArgumentError(`Invalid ${what}`);
    return size;
  };
}

function subcommandOf(hastctl: Command, name: string | undefined): Command | null {
  return hastctl.commands.find((command) => command.name() === name) ?? null;
}

function helpOn(hastctl: Command, name: string | undefined): Ending {
  const command = name === undefined ? hastctl : subcommandOf(hastctl, name);
  return command === null ? usage(`there is no command ${name ?? ''}`) : help(command);
}

function help(command: Command): Ending {
  return { command: null, exitCode: EX_OK, stdout: command.helpInformation(), stderr: '' };
}
