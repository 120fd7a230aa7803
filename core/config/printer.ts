/**
 * A hast.conf that gives `config` on the node called `node`; the parser is its inverse. Texts must be words of the
 * file format (`isWord`), and there is at least one `listen` address.
 */
import { assert } from '../base/assert.js';
import { DEFAULT_SYNCRATE } from './defaults.js';
import { isWord } from './lexer.js';
import { formatSyncRate, isSameSyncRate } from './sync-rate.js';
import type { Config, ResourceConfig } from './types.js';

export function printConfig(config: Config, node: string): string {
  const lines = [
    `control ${word(config.control)}`,
    `pidfile ${word(config.pidfile)}`,
    ...config.listen.map((address) => `listen ${word(address)}`),
    ...config.resources.flatMap((resource) => resourceLines(resource, node)),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function resourceLines(resource: ResourceConfig, node: string): string[] {
  const { name, remoteaddr, sourceaddr, exec } = resource;
  return [
    '',
    `resource ${word(name)} {`,
    `\tname ${word(resource.provname)}`,
    `\tlocal ${word(resource.localpath)}`,
    `\treplication ${resource.replication}`,
    `\tchecksum ${resource.checksum}`,
    `\tcompression ${resource.compression}`,
    `\ttimeout ${resource.timeout}`,
    ...(exec === '' ? [] : [`\texec ${word(exec)}`]),
    `\tmetaflush ${resource.metaflush ? 'on' : 'off'}`,
    // What the reference does not know is not said without need.
    ...(isSameSyncRate(resource.syncrate, DEFAULT_SYNCRATE)
      ? []
      : [`\tsyncrate ${formatSyncRate(resource.syncrate)}`]),
    `\ton ${word(node)} {`,
    `\t\tremote ${remoteaddr === 'none' ? 'none' : word(remoteaddr)}`,
    ...(sourceaddr === '' ? [] : [`\t\tsource ${word(sourceaddr)}`]),
    '\t}',
    '}',
  ];
}

function word(text: string): string {
  assert(isWord(text), `hast.conf cannot express '${text}'`);
  return text;
}
