/** hastctl, run inside the test with a configuration of its own. */
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hastctl } from '../../cli/hastctl/main.js';
import { printConfig } from '../../core/config/printer.js';
import type { ResourceConfig } from '../../core/config/types.js';

export interface Ending {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Setting {
  /** For the configuration file. */
  readonly folder: string;
  /** Path of the control socket. */
  readonly control: string;
  /** Resource names and their components. */
  readonly components: Readonly<Record<string, string>>;
}

/** Runs `hastctl ARGV` with the options that choose the configuration put in. */
export async function runHastctl(argv: readonly string[], setting: Setting): Promise<Ending> {
  const { folder, control, components } = setting;
  const path = join(folder, 'hast.conf');
  const resources = Object.entries(components).map(([name, localpath]) => resourceConfig(name, localpath));
  writeFileSync(
    path,
    printConfig({ control, pidfile: join(folder, 'pid'), listen: ['127.0.0.1'], resources }, 'a'),
  );
  const [command, ...rest] = argv;
  let stdout = '';
  let stderr = '';
  const exit = await hastctl([command ?? '', '-c', path, '--node', 'a', ...rest], {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { exit, stdout, stderr };
}

function resourceConfig(name: string, localpath: string): ResourceConfig {
  return {
    name,
    provname: name,
    localpath,
    remoteaddr: 'none',
    sourceaddr: '',
    replication: 'memsync',
    checksum: 'none',
    compression: 'hole',
    timeout: 20,
    exec: '',
    metaflush: true,
    syncrate: DEFAULT_SYNCRATE,
  };
}
