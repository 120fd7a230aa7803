/** The program of a worker process; `hastd` starts it (native/worker/workers.ts), nobody else. */
import '../no-inspector.js';
import { startPrimary, startSecondary } from '../../core/resource/worker.js';
import { loadAddon } from '../addon.js';
import { RealClock } from '../clock.js';
import { nodeCodecs } from '../codecs.js';
import { systemEntropy } from '../entropy.js';
import { ignoreClosedTerminal, terminalSink } from '../log.js';
import { dropPrivileges } from '../privileges.js';
import { openSyslog } from '../syslog.js';
import { NodeNetwork } from '../tcp.js';
import { showOnlyTitle } from '../title.js';
import { openComponent } from './component.js';
import { openDevices } from './devices.js';
import { WorkerHost } from './host.js';

showOnlyTitle();
ignoreClosedTerminal();
const { addon } = loadAddon();
new WorkerHost({
  logSink: (foreground) => (foreground ? terminalSink : openSyslog('hastd', addon)),
  dropPrivileges: (user) => dropPrivileges(user, addon),
  network: (turns) => new NodeNetwork(turns, addon),
  openComponent: (path, turns) => openComponent(path, turns, addon),
  openDevices: (task, settings) => openDevices(task, settings, addon),
  ports: ({ turns }) => ({ clock: new RealClock(turns), entropy: systemEntropy, codecs: nodeCodecs(addon) }),
  startPrimary,
  startSecondary,
}).run();
