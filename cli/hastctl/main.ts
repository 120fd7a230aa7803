/**
 * What hastctl does with a command line. The commands are loaded when they are needed: scripts call `hastctl status`
 * every few seconds.
 */
import type { Config } from '../../core/config/types.js';
import type { ResourceNames } from '../../core/control/requests.js';
import { isConfigFailure, readConfig } from '../config-file.js';
import { parseCommandLine, usage } from './command-line.js';
import type { CommandLine, Ending } from './command-line.js';
import { Failure } from '../failure.js';
import { outputTo } from './output.js';
import type { Output, Streams } from './output.js';

/** Runs `hastctl ARGV`; the exit status. */
export async function hastctl(argv: readonly string[], streams: Streams): Promise<number> {
  const line = parseCommandLine(argv);
  if (line.command === null) return end(line, streams);
  const { config: path, node, runDir, debug } = line.options;
  const output = outputTo(streams, debug);
  const config = readConfig({ path, node: node ?? null, runDir });
  if (isConfigFailure(config)) {
    output.log.write('error', config.text);
    return config.exitCode;
  }
  try {
    const outcome = await run(line, config, output);
    return typeof outcome === 'number' ? outcome : end(outcome, streams);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    output.log.write('error', error.message);
    return error.exitCode;
  }
}

async function run(
  line: Exclude<CommandLine, Ending>,
  config: Config,
  output: Output,
): Promise<number | Ending> {
  const { operands } = line;
  switch (line.command) {
    case 'create': {
      const { create } = await import('./create.js');
      return create(config, line.options, operands, output.log);
    }
    case 'role': {
      const [role, ...names] = operands;
      if (names.length === 0) return usage();
      if (role !== 'init' && role !== 'primary' && role !== 'secondary') return usage();
      const { setRole } = await import('./role.js');
      return setRole(config, role, namesOf(names), line.options.force === true, output.log);
    }
    case 'list':
    case 'status': {
      const { status } = await import('./status.js');
      const format = line.options.json === true ? 'json' : line.command;
      return status(config, namesOf(operands), format, output);
    }
    case 'dump': {
      const { dump } = await import('./dump.js');
      return dump(config, operands, output);
    }
    case 'stop': {
      const { stop } = await import('./stop.js');
      return stop(config);
    }
  }
}

/** `all` counts in first place only; no name at all means the same. */
function namesOf(operands: readonly string[]): ResourceNames {
  return operands.length === 0 || operands[0] === 'all' ? 'all' : operands;
}

function end({ exitCode, stdout, stderr }: Ending, streams: Streams): number {
  streams.stdout.write(stdout, 'latin1');
  streams.stderr.write(stderr, 'latin1');
  return exitCode;
}
