/** The process that connections are given to: reads each to its end and reports every byte. With an argument, by the addon. */
import type { Socket as NetSocket } from 'node:net';
import { Turns } from '../../core/base/turns.js';
import type { SocketHandler } from '../../core/ports/network.js';
import { loadAddon } from '../../native/addon.js';
import { NodeNetwork } from '../../native/tcp.js';

const turns = new Turns();
const network = new NodeNetwork(turns, process.argv.length > 2 ? loadAddon().addon : null);

function reporter(): SocketHandler {
  const parts: Uint8Array[] = [];
  const target = new Uint8Array(1000);
  return {
    connected: () => undefined,
    target: () => target,
    filled: (bytes) => {
      parts.push(target.slice(0, bytes));
    },
    sent: () => undefined,
    closed: (error) => {
      process.send?.({ kind: 'closed', error, bytes: new Uint8Array(Buffer.concat(parts)) });
    },
  };
}

process.on('message', (message, handle) => {
  const { unread } = message as { unread: Uint8Array };
  turns.run(() => {
    network.adopt({ handle: handle as NetSocket, unread }, reporter()).resume();
  });
  process.send?.({ kind: 'adopted' });
});
process.send?.({ kind: 'ready' });
