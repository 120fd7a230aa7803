/** The command line of hastd (core/spec/cli.md section 9): getopt's rules; operands are ignored. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_CONFIG_PATH, DEFAULT_RUN_DIR } from '../../core/config/defaults.js';
import { DEFAULT_MAX_REQUEST_BYTES } from '../../core/resource/worker.js';
import { byteText, systemText } from '../../native/text.js';
import type { DeviceKind } from '../../native/worker/messages.js';
import { EX_OK, EX_USAGE } from '../exit-codes.js';
import { isRefusal, readOptions } from '../getopt.js';
import type { Refusal } from '../getopt.js';

export interface HastdOptions {
  /** As given; relative to the directory hastd was started in. */
  readonly configPath: string;
  /** How often -d was given. */
  readonly debugLevel: number;
  readonly foreground: boolean;
  /** `-P`, or null: the pidfile that hast.conf names. */
  readonly pidfile: string | null;
  /** `--node`: which `on` sections of hast.conf are ours, instead of the host's names. */
  readonly node: string | null;
  /** Absolute. */
  readonly runDir: string;
  /** `--user`: whom workers become once they have opened what needs root; null: hast, if there is such a user. */
  readonly user: string | null;
  /** Larger requests of applications are split. */
  readonly maxRequestBytes: number;
  /** `--device`: what primaries offer; null: what the system has. */
  readonly device: DeviceKind | null;
  /** `--nbd`: TCP address of the first resource's export, or null: Unix sockets in the run directory. */
  readonly nbd: NbdAddress | null;
}

export interface NbdAddress {
  readonly host: string;
  readonly port: number;
}

/** There is nothing to do but to print and exit. */
export interface Ending {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const USAGE = 'hastd: [-dFh] [-c config] [-P pidfile]\n';

const MIN_REQUEST_BYTES = 4_096;
const MAX_REQUEST_BYTES = 1_048_576;

interface RawOptions {
  readonly c: string;
  readonly d: number;
  readonly F?: true;
  readonly P?: string;
  readonly node?: string;
  readonly runDir: string;
  readonly user?: string;
  readonly maxRequest: number;
  readonly device?: DeviceKind;
  readonly nbd?: NbdAddress;
}

export function parseOptions(argv: readonly string[]): HastdOptions | Ending {
  const command = hastdCommand();
  const operands = readOptions(command, argv);
  if (isRefusal(operands)) return endingOf(operands, command);
  const raw = command.opts<RawOptions>();
  return {
    configPath: raw.c,
    debugLevel: raw.d,
    foreground: raw.F === true,
    pidfile: raw.P ?? null,
    node: raw.node ?? null,
    runDir: byteText(resolve(systemText(raw.runDir))),
    user: raw.user ?? null,
    maxRequestBytes: raw.maxRequest,
    device: raw.device ?? null,
    nbd: raw.nbd ?? null,
  };
}

/** What is understood, `-h` apart. */
export function hastdCommand(): Command {
  return new Command('hastd')
    .description('The daemon of a HAST node.')
    .usage('[-dFh] [-c config] [-P pidfile] [long options]')
    .helpOption('--help', 'this text')
    .option('-c <config>', 'configuration file', DEFAULT_CONFIG_PATH)
    .option('-d', 'more debug messages; may be repeated', (_: unknown, level: number) => level + 1, 0)
    .option('-F', 'stay in the foreground and log to the terminal')
    .option('-P <pidfile>', 'pidfile, instead of the configured one')
    .option('--node <name>', 'which "on" sections are this node, instead of the host\'s names')
    .option('--run-dir <dir>', 'directory of the sockets and the pidfile', DEFAULT_RUN_DIR)
    .option('--user <name>', 'user that workers run as (default: "hast", if there is one)')
    .option('--max-request <bytes>', 'longest request between nodes', requestSize, DEFAULT_MAX_REQUEST_BYTES)
    .option('--device <kind>', 'ggate or nbd (default: what the system has)', deviceKind)
    .option('--nbd <host:port>', 'offer devices over TCP, the first resource here', nbdAddress);
}

function endingOf(refusal: Refusal, command: Command): Ending {
  if (refusal.kind === 'help') return { exitCode: EX_OK, stdout: command.helpInformation(), stderr: '' };
  const complaint = refusal.complaint === null ? '' : `hastd: ${refusal.complaint}\n`;
  return { exitCode: EX_USAGE, stdout: '', stderr: `${complaint}${USAGE}` };
}

/** Pieces of a split request start at multiples of this, so it must be a multiple of every sector size. */
function requestSize(text: string): number {
  const bytes = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (bytes >= MIN_REQUEST_BYTES && bytes <= MAX_REQUEST_BYTES && (bytes & (bytes - 1)) === 0) return bytes;
  const range = `${MIN_REQUEST_BYTES} to ${MAX_REQUEST_BYTES}`;
  throw new InvalidArgumentError(`--max-request ${text}: expected a power of two, ${range}`);
}

function deviceKind(text: string): DeviceKind {
  if (text === 'ggate' || text === 'nbd') return text;
  throw new InvalidArgumentError(`--device ${text}: expected ggate or nbd`);
}

function nbdAddress(text: string): NbdAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new InvalidArgumentError(`--nbd ${text}: expected host:port`);
}
