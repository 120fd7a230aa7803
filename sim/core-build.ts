/**
 * What a simulated node needs of a core: everything else it reaches through these three. There may be several cores in one
 * simulator, each compiled from patched sources, so that a node of ours can meet one that behaves as the reference does.
 */
import { Daemon } from '../core/daemon/daemon.js';
import { startPrimary, startSecondary } from '../core/resource/worker.js';

export interface CoreBuild {
  readonly Daemon: typeof Daemon;
  readonly startPrimary: typeof startPrimary;
  readonly startSecondary: typeof startSecondary;
}

/** The core this simulator was compiled with. */
export const ownCore: CoreBuild = { Daemon, startPrimary, startSecondary };
