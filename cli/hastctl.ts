#!/usr/bin/env node
/**
 * hastctl(8): control utility of hastd (core/spec/cli.md). The commands are loaded when they are needed: scripts call
 * `hastctl status` every few seconds.
 */
import type { Config } from '../core/config/types.js';
import type { ResourceNames } from '../core/control/requests.js';
import type { Log } from '../core/ports/log.js';
import { ignoreClosedTerminal } from '../native/log.js';
import { isConfigFailure, readConfig } from './config-file.js';
import { parseCommandLine, usage } from './hastctl/command-line.js';
import type { CommandLine, Ending } from './hastctl/command-line.js';
import { Failure } from './hastctl/failure.js';
import { print, terminalLog } from './hastctl/output.js';

ignoreClosedTerminal();
process.exitCode = await main(parseCommandLine(process.argv.slice(2)));

async function main(line: CommandLine): Promise<number> {
  if (line.command === null) return end(line);
  const log = terminalLog(line.options.debug);
  const { config: path, node, runDir } = line.options;
  const config = readConfig({ path, node: node ?? null, runDir });
  if (isConfigFailure(config)) {
    log.write('error', config.text);
    return config.exitCode;
  }
  try {
    return await run(line, config, log);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.write('error', error.message);
    return error.exitCode;
  }
}

async function run(line: Exclude<CommandLine, Ending>, config: Config, log: Log): Promise<number> {
  const { operands } = line;
  switch (line.command) {
    case 'create':
      return (await import('./hastctl/create.js')).create(config, line.options, operands, log);
    case 'role': {
      const [role, ...names] = operands;
      if (names.length === 0) return end(usage());
      if (role !== 'init' && role !== 'primary' && role !== 'secondary') return end(usage());
      const { setRole } = await import('./hastctl/role.js');
      return setRole(config, role, namesOf(names), line.options.force === true, log);
    }
    case 'list':
    case 'status': {
      const { status } = await import('./hastctl/status.js');
      return status(config, namesOf(operands), line.options.json === true ? 'json' : line.command, log);
    }
    case 'dump':
      return (await import('./hastctl/dump.js')).dump(config, operands, log);
    case 'stop':
      return (await import('./hastctl/stop.js')).stop(config);
  }
}

/** `all` counts in first place only; no name at all means the same. */
function namesOf(operands: readonly string[]): ResourceNames {
  return operands.length === 0 || operands[0] === 'all' ? 'all' : operands;
}

function end({ exitCode, stdout, stderr }: Ending): number {
  print(stdout);
  process.stderr.write(stderr, 'latin1');
  return exitCode;
}
