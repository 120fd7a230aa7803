/** Effective values of hast.conf for this node (core/spec/config.md section 5). */
export type ReplicationMode = 'fullsync' | 'memsync' | 'async';
export type ChecksumName = 'none' | 'crc32' | 'sha256';
export type CompressionName = 'none' | 'hole' | 'lzf';

/** Bytes per second of a synchronisation. */
export interface SyncRate {
  /** What it gets at least beside a busy application. */
  readonly leastPerS: number;
  /** Null: as fast as it goes. */
  readonly mostPerS: number | null;
}

export interface ResourceConfig {
  readonly name: string;
  readonly provname: string;
  readonly localpath: string;
  /** Address as written, or `none`. */
  readonly remoteaddr: string;
  /** Address as written, or empty: the system chooses. */
  readonly sourceaddr: string;
  readonly replication: ReplicationMode;
  readonly checksum: ChecksumName;
  readonly compression: CompressionName;
  /** Seconds, 1 .. 2147483647. */
  readonly timeout: number;
  /** Program path, or empty: no hook. */
  readonly exec: string;
  readonly metaflush: boolean;
  /** Ours. */
  readonly syncrate: SyncRate;
}

export interface Config {
  readonly control: string;
  readonly pidfile: string;
  /** In file order; the defaults when the file names none. */
  readonly listen: readonly string[];
  readonly resources: readonly ResourceConfig[];
}
