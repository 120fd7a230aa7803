/** The real system under a main daemon, with the addon where there is one. */
import type { Addon } from '../../native/addon.js';
import { systemEntropy } from '../../native/entropy.js';
import { lockExclusive } from '../../native/lock.js';
import { openSyslog } from '../../native/syslog.js';
import { NodeNetwork } from '../../native/tcp.js';
import type { System } from './host.js';

export function realSystem(addon: Addon | null): System {
  return {
    lock: (descriptor) => lockExclusive(descriptor, addon),
    entropy: systemEntropy,
    network: (turns) => new NodeNetwork(turns),
    syslog: () => openSyslog('hastd', addon),
  };
}
