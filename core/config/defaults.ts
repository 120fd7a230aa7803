/** Values of hast.conf that the file leaves out (core/spec/config.md section 2). */
import type { ChecksumName, CompressionName, ReplicationMode, SyncRate } from './types.js';

/** Defaults that depend on the system and on `--run-dir`. */
export interface SystemDefaults {
  readonly control: string;
  readonly pidfile: string;
  /** One address per IP version of the system; used when the file names none. */
  readonly listen: readonly string[];
}

export function systemDefaults(
  runDir: string,
  ipVersions: { readonly ipv4: boolean; readonly ipv6: boolean },
): SystemDefaults {
  return {
    control: `${runDir}/hastctl`,
    pidfile: `${runDir}/hastd.pid`,
    listen: [
      ...(ipVersions.ipv4 ? ['tcp4://0.0.0.0:8457'] : []),
      ...(ipVersions.ipv6 ? ['tcp6://[::]:8457'] : []),
    ],
  };
}

export const DEFAULT_CONFIG_PATH = '/etc/hast.conf';
export const DEFAULT_RUN_DIR = '/var/run';
export const DEFAULT_REPLICATION: ReplicationMode = 'memsync';
export const DEFAULT_CHECKSUM: ChecksumName = 'none';
export const DEFAULT_COMPRESSION: CompressionName = 'hole';
/** Seconds. */
export const DEFAULT_TIMEOUT = 20;
/** No hook. */
export const DEFAULT_EXEC = '';
export const DEFAULT_METAFLUSH = true;
export const DEFAULT_SYNCRATE: SyncRate = { leastPerS: 2 ** 20, mostPerS: null };
