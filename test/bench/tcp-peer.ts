/** The other end of the TCP measurements: a process that listens, and answers 4,160 bytes with 64, or swallows everything. */
import { createServer } from 'node:net';

const REQUEST_BYTES = 4160;
const ANSWER = Buffer.alloc(64);

process.on('message', (what: 'answer' | 'swallow') => {
  const server = createServer({ noDelay: true }, (socket) => {
    server.close();
    let bytes = 0;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      if (what === 'swallow') return;
      for (bytes += chunk.length; bytes >= REQUEST_BYTES; bytes -= REQUEST_BYTES) socket.write(ANSWER);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.(typeof address === 'object' ? (address?.port ?? 0) : 0);
  });
});
