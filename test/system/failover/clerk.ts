/**
 * The client of the ledger, a program: `clerk.js ADDRESS PORT` sends 1, 2, 3, ..., each until it is confirmed, over a
 * new connection whenever the old one is of no use, and prints every number that was confirmed to it.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const PATIENCE_MS = 200;
const PAUSE_MS = 10;

const [, , address = '', port = ''] = process.argv;
let number = 1;

/** Sends numbers over one connection as long as it is of use. */
function work(): void {
  const socket = connect(Number(port), address);
  let answer = '';
  socket.setNoDelay().setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on('connect', () => {
    send(socket);
  });
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
    if (answer !== `ok ${number}\n`) return;
    answer = '';
    process.stdout.write(`confirmed ${number}\n`);
    number += 1;
    setTimeout(() => {
      send(socket);
    }, PAUSE_MS);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => setTimeout(work, PAUSE_MS));
}

function send(socket: Socket): void {
  if (!socket.destroyed) socket.write(`${number}\n`);
}

work();
