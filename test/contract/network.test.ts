import { mkdtempSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Turns } from '../../core/base/turns.js';
import type { Addon } from '../../native/addon.js';
import { NodeNetwork } from '../../native/tcp.js';
import { SimMedium } from '../../sim/medium.js';
import { Lan } from '../../sim/lan.js';
import { SimMachine } from '../../sim/machine.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';
import { eachAddon } from '../native/addons.js';
import { networkContract } from './network.js';
import type { NetworkSetup, Side } from './network.js';
import { realWorld, simWorld } from './world.js';

function simSetup(address: string, twoMachines: boolean): Promise<NetworkSetup> {
  const scheduler = new Scheduler();
  const lan = new Lan(scheduler, 1);
  const machine = (name: string, ip: string): SimMachine => {
    const medium = new SimMedium(new Random(1, name), { mediaSize: 4096 });
    return new SimMachine(scheduler, lan, lan.addHost(name, [ip]), [medium], 1);
  };
  const side = (on: SimMachine, name: string): Side => {
    const { process, network } = on.boot(name);
    return { network, turns: process.turns, world: simWorld(scheduler, process) };
  };
  const a = machine('a', '10.0.0.1');
  const b = machine('b', '10.0.0.2');
  return Promise.resolve({
    client: side(twoMachines ? a : b, 'client'),
    server: side(b, 'server'),
    address,
    teardown: () => Promise.resolve(),
  });
}

function realSide(addon: Addon | null): Side {
  const turns = new Turns();
  return { network: new NodeNetwork(turns, addon), turns, world: realWorld(turns) };
}

async function tcpSetup(scheme: string, host: string, addon: Addon | null): Promise<NetworkSetup> {
  const port = await freePort(host);
  const text = host.includes(':') ? `[${host}]` : host;
  return {
    client: realSide(addon),
    server: realSide(addon),
    address: `${scheme}://${text}:${port}`,
    teardown: () => Promise.resolve(),
  };
}

function unixSetup(addon: Addon | null): Promise<NetworkSetup> {
  const folder = mkdtempSync(join(tmpdir(), 'hast-net-'));
  return Promise.resolve({
    client: realSide(addon),
    server: realSide(addon),
    address: `uds://${folder}/socket`,
    teardown: () => {
      rmSync(folder, { recursive: true });
      return Promise.resolve();
    },
  });
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}

const hasIpv6 = Object.values(networkInterfaces()).some((ends) =>
  ends?.some(({ address }) => address === '::1'),
);

const unixTraits = { serverEnd: /^uds:\/\/\//, clientEnd: /^N\/A$/, source: null, peerUid: null };

networkContract(
  'simulated, two machines',
  {
    serverEnd: /^tcp:\/\/10\.0\.0\.2:8457$/,
    clientEnd: /^tcp:\/\/10\.0\.0\.1:[0-9]+$/,
    peerUid: null,
    source: { own: '10.0.0.1', foreign: '10.0.0.2' },
  },
  () => simSetup('tcp4://10.0.0.2', true),
);
networkContract('simulated, Unix socket', unixTraits, () => simSetup('/var/run/socket', false));
for (const [name, addon] of eachAddon) {
  const four = /^tcp:\/\/127\.0\.0\.1:[0-9]+$/;
  const source = { own: '127.0.0.1', foreign: '198.51.100.1' };
  networkContract(`TCP over IPv4, ${name}`, { serverEnd: four, clientEnd: four, source, peerUid: null }, () =>
    tcpSetup('tcp4', '127.0.0.1', addon),
  );
  const peerUid = addon === null ? null : (process.geteuid?.() ?? null);
  networkContract(`Unix socket, ${name}`, { ...unixTraits, peerUid }, () => unixSetup(addon));
  const six = /^tcp:\/\/\[::1\]:[0-9]+$/;
  const traits = { serverEnd: six, clientEnd: six, source: null, peerUid: null };
  if (hasIpv6) networkContract(`TCP over IPv6, ${name}`, traits, () => tcpSetup('tcp', '::1', addon));
}
if (!hasIpv6) console.log('not run: TCP over IPv6 (no ::1 here)');
