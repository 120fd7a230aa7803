/**
 * A worker process with a real host and an invented core, for tests of everything around the core. What it does is
 * asked for in fields of the resource that the core would use.
 */
import '../../native/no-inspector.js';
import type { Disk } from '../../core/ports/disk.js';
import type { SocketHandler } from '../../core/ports/network.js';
import type { WorkerStatus } from '../../core/resource/types.js';
import { tsCodecs } from '../../core/wire/codecs.js';
import { RealClock } from '../../native/clock.js';
import { systemEntropy } from '../../native/entropy.js';
import { terminalSink } from '../../native/log.js';
import { NodeNetwork } from '../../native/tcp.js';
import { showOnlyTitle } from '../../native/title.js';
import { WorkerHost } from '../../native/worker/host.js';
import type { ResourceWorker, WorkerPorts } from '../../core/resource/worker.js';

const NO_DISK: Disk = {
  mediaSize: 0,
  sectorSize: 512,
  read: () => undefined,
  write: () => undefined,
  writeAll: () => undefined,
  delete: () => undefined,
  flush: () => undefined,
  close: () => undefined,
};

const STATUS: WorkerStatus = {
  status: 'degraded',
  dirty: 0,
  extentsize: 2_097_152,
  keepdirty: 64,
  reads: 0,
  writes: 0,
  deletes: 0,
  flushes: 0,
  activemapUpdates: 0,
  readErrors: 0,
  writeErrors: 0,
  deleteErrors: 0,
  flushErrors: 0,
  idleQueue: 0,
  localQueue: 0,
  sendQueue: 0,
  recvQueue: 0,
  doneQueue: 0,
  remoteErrors: 0,
  syncLeft: 0,
  syncRate: 0,
  localCopy: 'complete',
  exported: true,
};

/** Answers every byte with itself. */
function echo(ports: WorkerPorts, out: { send(chunks: readonly Uint8Array[]): void }): SocketHandler {
  const target = new Uint8Array(16);
  return {
    connected: () => undefined,
    target: () => target,
    filled: (bytes) => {
      out.send([target.slice(0, bytes)]);
    },
    sent: () => undefined,
    closed: () => {
      ports.parent.event('disconnect');
      ports.parent.exit(0);
    },
  };
}

function stubWorker(ports: WorkerPorts): ResourceWorker {
  return {
    status: () => ({ ...STATUS, writes: process.pid }),
    reload: (resource) => {
      if (resource.exec === 'throw') throw new Error('what a bug looks like');
      if (resource.exec === 'exit') {
        for (let i = 0; i < 1000; i++) ports.parent.event('connect');
        ports.parent.event('split-brain');
        ports.parent.exit(78);
      }
      ports.log.write('info', `Reloaded ${resource.exec}.`);
    },
    stop: () => {
      ports.parent.event('disconnect');
      ports.parent.exit(0);
    },
  };
}

showOnlyTitle();
new WorkerHost({
  logSink: () => terminalSink,
  dropPrivileges: () => null,
  network: (turns) => new NodeNetwork(turns),
  openComponent: (path) =>
    path === 'missing'
      ? Promise.resolve({ exitCode: 66, text: 'Unable to open missing: No such file or directory.' })
      : new Promise((resolve) => {
          if (path === 'slow') setTimeout(resolve, 200, NO_DISK);
          else resolve(NO_DISK);
        }),
  openDevices:
    () =>
    ({ network }) => ({
      create: () => ({ recovered: false, complete: () => undefined, close: () => undefined }),
      attach: (client) => {
        const out = { send: (chunks: readonly Uint8Array[]): void => socket.send(chunks) };
        const target = new Uint8Array(16);
        const socket = network.adopt(client, {
          connected: () => undefined,
          target: () => target,
          filled: (bytes) => {
            out.send([target.slice(0, bytes)]);
          },
          sent: () => undefined,
          closed: () => undefined,
        });
        socket.resume();
      },
    }),
  ports: ({ turns }) => ({
    clock: new RealClock(turns),
    entropy: systemEntropy,
    codecs: tsCodecs(() => new Uint8Array(32)),
  }),
  startPrimary: (ports) => {
    ports.parent.exported();
    return stubWorker(ports);
  },
  startSecondary: (ports, _resource, { connA, connB }) => {
    const b = ports.network.adopt(connB, echo(ports, { send: () => undefined }));
    const a = ports.network.adopt(connA, echo(ports, b));
    a.resume();
    b.resume();
    return stubWorker(ports);
  },
}).run();
