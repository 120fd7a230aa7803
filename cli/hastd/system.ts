/** The real system under a main daemon, with the addon where there is one. */
import type { LoadedAddon } from '../../native/addon.js';
import { systemEntropy } from '../../native/entropy.js';
import { lockExclusive } from '../../native/lock.js';
import { chooseWorkerUser } from '../../native/privileges.js';
import { openSyslog } from '../../native/syslog.js';
import { NodeNetwork } from '../../native/tcp.js';
import { realGgate } from './device-kind.js';
import type { System } from './host.js';

export function realSystem(loaded: LoadedAddon): System {
  const { addon } = loaded;
  return {
    lock: (descriptor) => lockExclusive(descriptor, addon),
    entropy: systemEntropy,
    shortcomings: loaded.addon === null ? [withoutAddon(loaded.reason)] : [],
    network: (turns) => new NodeNetwork(turns, addon),
    ggate: realGgate(addon),
    workerUser: chooseWorkerUser,
    syslog: () => openSyslog('hastd', addon),
  };
}

function withoutAddon(reason: string): string {
  return `Running without the addon (${reason}): only its permissions protect the control socket.`;
}
