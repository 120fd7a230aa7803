/** Reading hast.conf for hastd and hastctl; what the text means is the core's business (core/spec/config.md). */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeConfigError, isConfigError } from '../core/config/config-error.js';
import { systemDefaults } from '../core/config/defaults.js';
import { parseConfig } from '../core/config/parser.js';
import type { Config } from '../core/config/types.js';
import { errorText } from '../native/errors.js';
import { hostIdentity, ipVersions } from '../native/node-identity.js';
import { byteText, systemText } from '../native/text.js';
import { EX_OSFILE } from './exit-codes.js';

export interface ConfigSource {
  readonly path: string;
  /** `--node`, or null: the host's own names. */
  readonly node: string | null;
  /** May be relative. */
  readonly runDir: string;
}

/** `text` is for the log, at level error; `exitCode` for the program that cannot go on. */
export interface ConfigFailure {
  readonly exitCode: number;
  readonly text: string;
}

export function readConfig({ path, node, runDir }: ConfigSource): Config | ConfigFailure {
  let text: string;
  try {
    text = readFileSync(systemText(path), 'latin1');
  } catch (error) {
    const reason = errorText(error);
    return { exitCode: EX_OSFILE, text: `Unable to open configuration file ${path}: ${reason}.` };
  }
  const identity = node === null ? hostIdentity() : { kind: 'named' as const, name: node };
  const config = parseConfig(
    text,
    identity,
    systemDefaults(byteText(resolve(systemText(runDir))), ipVersions()),
  );
  if (!isConfigError(config)) return config;
  return { exitCode: config.exitCode, text: describeConfigError(config, path) };
}

export function isConfigFailure(value: Config | ConfigFailure): value is ConfigFailure {
  return 'exitCode' in value;
}
