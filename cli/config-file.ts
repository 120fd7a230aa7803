/**
 * Reading hast.conf for hastd and hastctl (core/spec/config.md): finds out who this node is and what its system can
 * do; what the text means is the core's business.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { describeConfigError, isConfigError } from '../core/config/config-error.js';
import { systemDefaults } from '../core/config/defaults.js';
import type { NodeIdentity } from '../core/config/node-identity.js';
import { parseConfig } from '../core/config/parser.js';
import type { Config } from '../core/config/types.js';
import { errorText } from '../native/errors.js';
import { EX_OSFILE } from './exit-codes.js';

export interface ConfigSource {
  readonly path: string;
  /** `--node`, or null: the host's own names. */
  readonly node: string | null;
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
    text = readFileSync(path, 'latin1');
  } catch (error) {
    const reason = errorText(error);
    return { exitCode: EX_OSFILE, text: `Unable to open configuration file ${path}: ${reason}.` };
  }
  const identity: NodeIdentity = node === null ? hostIdentity() : { kind: 'named', name: node };
  const config = parseConfig(text, identity, systemDefaults(runDir, ipVersions()));
  if (!isConfigError(config)) return config;
  return { exitCode: config.exitCode, text: describeConfigError(config, path) };
}

export function isConfigFailure(value: Config | ConfigFailure): value is ConfigFailure {
  return 'exitCode' in value;
}

function hostIdentity(): NodeIdentity {
  return { kind: 'host', hostname: hostname(), hostuuid: hostUuid(), hostid: hostId() };
}

function hostUuid(): string | null {
  if (process.platform === 'freebsd') return sysctl('kern.hostuuid');
  return firstLine('/sys/class/dmi/id/product_uuid') ?? firstLine('/etc/machine-id');
}

/** gethostid(3) elsewhere makes a number up from an address; only a real one is of use in a file for all nodes. */
function hostId(): number | null {
  if (process.platform === 'freebsd') {
    const id = sysctl('kern.hostid');
    return id === null ? null : Number(id);
  }
  try {
    return readFileSync('/etc/hostid').readUInt32LE(0);
  } catch {
    return null;
  }
}

function firstLine(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').split('\n', 1)[0] ?? null;
  } catch {
    return null;
  }
}

function sysctl(name: string): string | null {
  try {
    return execFileSync('/sbin/sysctl', ['-n', name], { encoding: 'latin1' }).trim();
  } catch {
    return null;
  }
}

function ipVersions(): { ipv4: boolean; ipv6: boolean } {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return {
    ipv4: addresses.some(({ family }) => family === 'IPv4'),
    ipv6: addresses.some(({ family }) => family === 'IPv6'),
  };
}
