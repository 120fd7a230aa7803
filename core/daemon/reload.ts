/**
 * SIGHUP (core/spec/config.md section 7): the new configuration takes the place of the old one, or nothing changes.
 * Nobody is held up meanwhile: resources that have to be restarted go through their own queue of commands.
 */
import type { Config } from '../config/types.js';
import type { Log } from '../ports/log.js';
import type { ListeningSockets } from './listening.js';
import { ManagedResource } from './managed-resource.js';
import type { DaemonOptions, DaemonPorts } from './ports.js';
import type { Resources } from './resources.js';

/** What a reload works on. */
export interface Reloadable {
  readonly ports: DaemonPorts;
  readonly options: DaemonOptions;
  readonly sockets: ListeningSockets;
  readonly resources: Resources;
}

/** `done` gets the configuration in force afterwards; it is not called when the daemon ends first. */
export function reload(daemon: Reloadable, current: Config, done: (config: Config) => void): void {
  const log = daemon.ports.logFor('');
  const abort = (): void => {
    log.write('warning', 'Configuration not reloaded.');
    done(current);
  };
  log.write('info', 'Reloading configuration...');
  const wanted = daemon.options.parse();
  if ('exitCode' in wanted) {
    log.write('error', wanted.text);
    abort();
    return;
  }
  daemon.sockets.prepare(wanted, (prepared) => {
    if (prepared === null) {
      abort();
      return;
    }
    daemon.sockets.commit(prepared);
    if (wanted.pidfile !== current.pidfile) daemon.options.pidfileChanged(wanted.pidfile);
    changeResources(daemon, wanted, log, () => {
      log.write('info', 'Configuration reloaded successfully.');
      done(wanted);
    });
  });
}

/** `done` when every resource is what `wanted` says. */
function changeResources(
  { ports, options, resources }: Reloadable,
  wanted: Config,
  log: Log,
  done: () => void,
): void {
  let changing = 1;
  const changed = (): void => {
    if (--changing === 0) done();
  };
  const before = resources.all();
  for (const resource of before) {
    if (wanted.resources.some(({ name }) => name === resource.name)) continue;
    changing++;
    log.write('info', `Resource ${resource.name} removed.`);
    resources.retire(resource, changed);
  }
  for (const config of wanted.resources) {
    if (resources.get(config.name) !== null) continue;
    log.write('info', `Resource ${config.name} added.`);
    const resource = new ManagedResource(ports, options.exportAddress, config);
    resources.append(resource);
    resource.begin();
  }
  for (const resource of before) {
    const config = wanted.resources.find(({ name }) => name === resource.name);
    if (config === undefined) continue;
    changing++;
    const begun = (change: 'live' | 'restart'): void => {
      log.write('info', `Resource ${resource.name} ${change === 'live' ? 'reloaded' : 'restarted'}.`);
      if (change === 'restart') resources.append(resource);
    };
    resource.reconfigure(config, begun, changed);
  }
  changed();
}
