import { expect, it } from 'vitest';
import { Dialer, type DialResult } from '../../core/handshake/dialer.js';
import {
  encodeAttachRefusal,
  encodeHelloReply,
  SPLIT_BRAIN,
  TOKEN_BYTES,
} from '../../core/wire/handshake-messages.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { simCodecs } from '../../sim/codecs.js';
import { Lan } from '../../sim/lan.js';
import { SimMachine } from '../../sim/machine.js';
import { Scheduler } from '../../sim/scheduler.js';
import { ScriptedConnection } from '../interop/replay/connection.js';

const PEER = 'tcp4://10.0.0.2';

it('hears the verdict although the second connection has ended before it', () => {
  const scheduler = new Scheduler();
  const lan = new Lan(scheduler, 1);
  const boot = (name: string, ip: string) =>
    new SimMachine(scheduler, lan, lan.addHost(name, [ip]), [], 1).boot(name);
  const { network, clock } = boot('primary', '10.0.0.1');
  const peer = boot('secondary', '10.0.0.2');
  const accepted: ScriptedConnection[] = [];
  const accept = (socket: Parameters<ScriptedConnection['bind']>[0]): ScriptedConnection => {
    const connection = new ScriptedConnection();
    connection.bind(socket);
    connection.resume();
    accepted.push(connection);
    return connection;
  };
  peer.network.listen(PEER, accept, () => undefined);
  scheduler.runFor(1);

  const results: DialResult[] = [];
  const options = { resource: 'r0', remote: PEER, source: null, timeoutMs: 20_000, maxMapBytes: 4096 };
  new Dialer({ clock, network, codecs: simCodecs }, options, {
    credentials: (done) => {
      done(null, { virgin: false, resuid: 1n, localcnt: 1n, remotecnt: 0n });
    },
    dialled: (result) => results.push(result),
  });
  scheduler.runUntil(() => accepted[0]?.received.length === 1, 1_000);
  const token = new Uint8Array(TOKEN_BYTES);
  accepted[0]?.send([encodeFrame(2, encodeHelloReply({ version: 2, token }))]);
  scheduler.runUntil(() => accepted[1]?.received.length === 1, 1_000);

  accepted[1]?.close();
  scheduler.runFor(5);
  expect(results).toEqual([]);
  const standing = { datasize: 4096, extentsize: 4096, localcnt: 1n, remotecnt: 0n, virgin: false };
  accepted[0]?.send([encodeFrame(2, encodeAttachRefusal(standing, SPLIT_BRAIN))]);
  scheduler.runFor(5);
  expect(results).toEqual([{ kind: 'refused', message: SPLIT_BRAIN, wait: false }]);
});
