/**
 * One question to hastd over its control socket (core/spec/control.md section 1): connect, request, reply. Every wait
 * has an end, because a daemon may hang.
 */
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { parseAddress } from '../../core/config/address.js';
import { encodeControlRequest, ERROR_DENIED, MAX_REPLY_BYTES } from '../../core/control/requests.js';
import type { ControlRequest } from '../../core/control/requests.js';
import { isPortError, portError } from '../../core/ports/error.js';
import type { PortError } from '../../core/ports/error.js';
import { decodeHeader, encodeFrame, HEADER_BYTES, PROTOCOL_VERSION } from '../../core/wire/frame.js';
import { decodeNv } from '../../core/wire/nv-list.js';
import type { NvList } from '../../core/wire/nv-list.js';
import { errorText, strerror } from '../../native/errors.js';
import { EX_OSERR, EX_SOFTWARE, EX_UNAVAILABLE } from '../exit-codes.js';
import { systemText } from '../../native/text.js';
import { Failure } from '../failure.js';

export interface Deadlines {
  readonly connectMs: number;
  /** A role change is answered when the worker has ended, and that may have much to write. */
  readonly replyMs: number;
}

const RETRY_MS = 20;
const DEADLINES: Deadlines = { connectMs: 10_000, replyMs: 120_000 };

/** The reply to `request` from the daemon at `control`, an address of hast.conf. Throws a Failure. */
export async function ask(
  control: string,
  request: ControlRequest,
  deadlines: Deadlines = DEADLINES,
): Promise<NvList> {
  const address = parseAddress(control);
  if (isPortError(address)) throw setupFailure(control, strerror(address.code));
  if (address.kind !== 'unix') throw setupFailure(control, strerror('EINVAL'));
  const socket = await connect(control, address.path, deadlines.connectMs);
  try {
    return await exchange(
      control,
      socket,
      encodeFrame(PROTOCOL_VERSION, encodeControlRequest(request)),
      deadlines.replyMs,
    );
  } finally {
    socket.destroy();
  }
}

/** What the daemon means by the error of a whole reply. */
export function refusal(error: number): Failure {
  const text =
    error === ERROR_DENIED
      ? `Error ${error} received from hastd: only root and the user of hastd may command it.`
      : `Error ${error} received from hastd.`;
  return new Failure(EX_SOFTWARE, text);
}

function setupFailure(control: string, why: string): Failure {
  return new Failure(EX_OSERR, `Unable to setup control connection to ${control}: ${why}.`);
}

function connect(control: string, path: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let socket: Socket;
    let retry: NodeJS.Timeout | undefined;
    const fail = (why: string): void => {
      clearTimeout(timer);
      clearTimeout(retry);
      socket.destroy();
      reject(new Failure(EX_OSERR, `Unable to connect to hastd via ${control}: ${why}.`));
    };
    const timer = setTimeout(fail, timeoutMs, strerror('ETIMEDOUT'));
    const attempt = (): void => {
      socket = createConnection({ path: systemText(path) });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        // So says Linux when too many others are asking at the moment.
        if (error.code === 'EAGAIN') retry = setTimeout(attempt, RETRY_MS);
        else fail(errorText(error));
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(socket);
      });
    };
    attempt();
  });
}

function exchange(control: string, socket: Socket, frame: Uint8Array, timeoutMs: number): Promise<NvList> {
  return new Promise((resolve, reject) => {
    const reply = new ReplyReader();
    let sent = false;
    const fail = (why: string): void => {
      clearTimeout(timer);
      const what = sent ? 'cannot receive reply from' : 'Unable to send command to';
      reject(new Failure(EX_UNAVAILABLE, `${what} hastd via ${control}: ${why}.`));
    };
    const timer = setTimeout(fail, timeoutMs, strerror('ETIMEDOUT'));
    socket.on('error', (error) => fail(errorText(error)));
    socket.on('end', () => fail('the connection was closed before the reply was complete'));
    socket.on('data', (chunk) => {
      const list = reply.add(chunk);
      if (list === null) return;
      if (isPortError(list)) return fail(list.message);
      clearTimeout(timer);
      resolve(list);
    });
    socket.write(frame, () => (sent = true));
  });
}

/** Collects one message. */
class ReplyReader {
  readonly #chunks: Uint8Array[] = [];
  #received = 0;
  /** Bytes of the message as far as they are known. */
  #wanted = HEADER_BYTES;

  /** The reply once it is complete, or why there can be none. */
  add(chunk: Uint8Array): NvList | PortError | null {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#received < this.#wanted) return null;
    const bytes = Buffer.concat(this.#chunks);
    const { version, listBytes } = decodeHeader(bytes);
    if (version > PROTOCOL_VERSION) return portError('EINVAL', `protocol version ${version} is not known`);
    if (listBytes > MAX_REPLY_BYTES) return portError('EINVAL', `a list of ${listBytes} bytes is too long`);
    this.#wanted = HEADER_BYTES + listBytes;
    return this.#received < this.#wanted ? null : decodeNv(bytes.subarray(HEADER_BYTES, this.#wanted));
  }
}
