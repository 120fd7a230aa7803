/**
 * A long cable, a program: `distance-proxy.js ADDRESS PORT UID` listens on PORT + 1000, connects to PORT of ADDRESS for
 * everyone who comes, as user UID, and delivers every byte, and every end of a connection, so many milliseconds late
 * in either direction as the last line of its input says.
 */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** What is under way in one direction of one connection; above that the sender has to wait. */
const MAX_BYTES_UNDER_WAY = 8 << 20;

const [, , address = '', port = '', uid = ''] = process.argv;
let oneWayMs = 0;

/** Does things a while later, in order. */
class Delay {
  #waiting: { readonly dueMs: number; readonly act: () => void }[] = [];

  add(act: () => void): void {
    this.#waiting.push({ dueMs: performance.now() + oneWayMs, act });
    if (this.#waiting.length === 1) this.#sleep();
  }

  #sleep(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    setTimeout(() => {
      const now = performance.now();
      const due = this.#waiting.findIndex(({ dueMs }) => dueMs > now);
      const ready = due === -1 ? this.#waiting : this.#waiting.slice(0, due);
      this.#waiting = due === -1 ? [] : this.#waiting.slice(due);
      for (const { act } of ready) act();
      this.#sleep();
    }, first.dueMs - performance.now());
  }
}

/** One direction of a connection. */
function carry(from: Socket, to: Socket): void {
  const delay = new Delay();
  let bytesUnderWay = 0;
  from.on('data', (bytes: Buffer) => {
    bytesUnderWay += bytes.length;
    if (bytesUnderWay > MAX_BYTES_UNDER_WAY) from.pause();
    delay.add(() => {
      if (to.destroyed) return;
      to.write(bytes, () => {
        bytesUnderWay -= bytes.length;
        if (bytesUnderWay <= MAX_BYTES_UNDER_WAY) from.resume();
      });
    });
  });
  from.on('end', () => {
    delay.add(() => to.end());
  });
  from.on('error', () => undefined);
  from.on('close', () => {
    delay.add(() => to.destroySoon());
  });
}

createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ host: address, port: Number(port), allowHalfOpen: true });
  for (const socket of [near, far]) socket.setNoDelay();
  carry(near, far);
  carry(far, near);
}).listen(Number(port) + 1000, () => {
  // The rule that leads connections here does not apply to this user's.
  process.setuid?.(Number(uid));
  process.stdout.write('ready\n');
});

createInterface({ input: process.stdin }).on('line', (line) => {
  oneWayMs = Number(line);
});
