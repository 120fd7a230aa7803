/**
 * The command line of hastd (core/spec/cli.md section 9): getopt's rules, options before operands, operands ignored.
 */
import { Command, CommanderError } from 'commander';

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
  readonly runDir: string;
  /** Whom workers become once they have opened what needs root. */
  readonly user: string;
  /** Bytes; larger requests of applications are split. */
  readonly maxRequestBytes: number;
  /** `--nbd`: TCP address of the first resource's export, or null: Unix sockets in the run directory. */
  readonly nbd: NbdAddress | null;
}

export interface NbdAddress {
  readonly host: string;
  readonly port: number;
}

/** What to print on stderr before exiting with EX_USAGE. */
export interface UsageError {
  readonly usage: string;
}

const USAGE = `hastd: [-dFh] [-c config] [-P pidfile]
       [--node name] [--run-dir dir] [--user name] [--max-request bytes] [--nbd host:port]
`;

const MIN_REQUEST_BYTES = 4_096;
const MAX_REQUEST_BYTES = 1_048_576;

interface RawOptions {
  readonly c: string;
  readonly d: number;
  readonly F?: true;
  readonly h?: true;
  readonly P?: string;
  readonly node?: string;
  readonly runDir: string;
  readonly user: string;
  readonly maxRequest: string;
  readonly nbd?: string;
}

export function parseOptions(argv: readonly string[]): HastdOptions | UsageError {
  const command = describe();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return { usage: `hastd: ${complaint(error)}\n${USAGE}` };
    throw error;
  }
  // Commander takes `-5` for an operand; getopt does not.
  const digit = /^-(\d)/.exec(command.args[0] ?? '')?.[1];
  if (digit !== undefined && !argv.includes('--'))
    return { usage: `hastd: illegal option -- ${digit}\n${USAGE}` };
  return interpret(command.opts());
}

function describe(): Command {
  return new Command('hastd')
    .exitOverride()
    .helpOption(false)
    .argument('[operands...]')
    .passThroughOptions()
    .configureOutput({ writeErr: () => undefined })
    .option('-c <config>', 'configuration file', '/etc/hast.conf')
    .option('-d', 'more debug messages', (_: unknown, level: number) => level + 1, 0)
    .option('-F', 'stay in the foreground')
    .option('-h', 'usage')
    .option('-P <pidfile>', 'pidfile instead of the configured one')
    .option('--node <name>', 'name of this node in the configuration')
    .option('--run-dir <dir>', 'where sockets and the pidfile are', '/var/run')
    .option('--user <name>', 'user that workers run as', 'hast')
    .option('--max-request <bytes>', 'largest request between the nodes', '131072')
    .option('--nbd <host:port>', 'offer devices over TCP');
}

function interpret(raw: RawOptions): HastdOptions | UsageError {
  if (raw.h === true) return { usage: USAGE };
  const maxRequestBytes = /^\d{1,9}$/.test(raw.maxRequest) ? Number(raw.maxRequest) : 0;
  if (!isRequestSize(maxRequestBytes)) {
    const range = `a power of two, ${String(MIN_REQUEST_BYTES)} to ${String(MAX_REQUEST_BYTES)}`;
    return { usage: `hastd: --max-request ${raw.maxRequest}: expected ${range}\n${USAGE}` };
  }
  const nbd = raw.nbd === undefined ? null : parseNbdAddress(raw.nbd);
  if (raw.nbd !== undefined && nbd === null) {
    return { usage: `hastd: --nbd ${raw.nbd}: expected host:port\n${USAGE}` };
  }
  return {
    configPath: raw.c,
    debugLevel: raw.d,
    foreground: raw.F === true,
    pidfile: raw.P ?? null,
    node: raw.node ?? null,
    runDir: raw.runDir,
    user: raw.user,
    maxRequestBytes,
    nbd,
  };
}

/** Pieces of a split request start at multiples of this, so it must be a multiple of every sector size. */
function isRequestSize(bytes: number): boolean {
  return bytes >= MIN_REQUEST_BYTES && bytes <= MAX_REQUEST_BYTES && (bytes & (bytes - 1)) === 0;
}

function parseNbdAddress(text: string): NbdAddress | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) return null;
  return { host, port };
}

/** The line getopt(3) prints; commander names the option as `'-x'` or as `'-c <config>'`. */
function complaint(error: CommanderError): string {
  const option = /'(--?[^' ]*)/.exec(error.message)?.[1] ?? '';
  const letter = option.startsWith('--') ? option : option.slice(1);
  if (error.code === 'commander.optionMissingArgument') return `option requires an argument -- ${letter}`;
  return `illegal option -- ${letter}`;
}
