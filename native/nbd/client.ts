/**
 * A small NBD client: for the demo, the tests and for tools. Many requests may be in flight; whoever wants to
 * survive a lost connection connects again and repeats what was not answered.
 *
 * `NbdClient` is the protocol over any transport, `connectNbd` puts it on a real socket.
 */
import { connect } from 'node:net';
import type { BlockSizes, ExportInfo } from './protocol.js';
import { viewOf } from '../../core/base/bytes.js';
import {
  CHUNK,
  COMMAND,
  COMMAND_FLAG,
  DEFAULT_PORT,
  GREETING_BYTES,
  HANDSHAKE_FLAG,
  INFO,
  OPTION,
  OPTION_REPLY,
  OPTION_REPLY_BYTES,
  REQUEST_BYTES,
  decodeContentOffset,
  decodeErrorChunk,
  decodeGreeting,
  decodeInfoItem,
  decodeOptionReply,
  decodeReply,
  encodeClientFlags,
  encodeInfoRequest,
  encodeOption,
  encodeRequest,
  errorCode,
  replyHeaderBytes,
} from './protocol.js';

/** Longest payload that is not a read's content: option replies, error texts. */
const MAX_SMALL_BYTES = 64 << 10;
const NO_DATA = new Uint8Array(0);

/** What went wrong; `code` is a POSIX error name: the server's answer, or ECONNRESET when the connection is lost. */
export class NbdError extends Error {
  override readonly name = 'NbdError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where bytes go. What comes back is told through `received` and `lost`. */
export interface NbdTransport {
  send(chunks: readonly Uint8Array[]): void;
  destroy(): void;
}

export interface NbdClientOptions {
  /** Default: the server's default export. */
  readonly exportName?: string;
  /** False: simple replies only. */
  readonly structured?: boolean;
}

export type NbdAddress = { readonly path: string } | { readonly host: string; readonly port?: number };

interface Pending {
  /** READ: the buffer to fill. */
  readonly content: Uint8Array | null;
  readonly offset: number;
  readonly resolve: (content: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  failure: NbdError | null;
}

export class NbdClient {
  readonly #transport: NbdTransport;
  readonly #options: NbdClientOptions;
  #info: ExportInfo = { mediaSize: 0, flags: 0, blocks: null };
  #failure: Error | null = null;
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;

  readonly #pending = new Map<number, Pending>();
  #nextCookie = 0;

  /** The next bytes go to `#target`; when it is full, `#then` is called with it. */
  #target: Uint8Array = NO_DATA;
  #filled = 0;
  #then: (bytes: Uint8Array) => void = () => undefined;
  /** Wakes the handshake when the connection fails. */
  #interrupt: () => void = () => undefined;
  /** Bytes nobody asked for yet: between two steps of the handshake. */
  #early: Uint8Array[] = [];

  constructor(transport: NbdTransport, options: NbdClientOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Bytes. */
  get mediaSize(): number {
    return this.#info.mediaSize;
  }

  /** Transmission flags. */
  get flags(): number {
    return this.#info.flags;
  }

  get blocks(): BlockSizes | null {
    return this.#info.blocks;
  }

  /** Resolves when the connection is gone, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Handshake up to GO. Rejects with what the server had against it; the connection is given up then. */
  async negotiate(): Promise<void> {
    try {
      await this.#negotiate();
    } catch (error) {
      throw this.#fail(error instanceof Error ? error : new NbdError('EPROTO', String(error)));
    }
    this.#expectReply();
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return this.#request(COMMAND.read, 0, offset, length, null);
  }

  /** `data` must not change before the promise is settled. `fua`: durable on both nodes when it resolves. */
  async write(offset: number, data: Uint8Array, options: { fua?: boolean } = {}): Promise<void> {
    await this.#request(COMMAND.write, fuaFlag(options), offset, data.length, data);
  }

  async writeZeroes(offset: number, length: number, options: { fua?: boolean } = {}): Promise<void> {
    await this.#request(COMMAND.writeZeroes, fuaFlag(options), offset, length, null);
  }

  async trim(offset: number, length: number, options: { fua?: boolean } = {}): Promise<void> {
    await this.#request(COMMAND.trim, fuaFlag(options), offset, length, null);
  }

  /** Makes durable what was answered before, on any connection. */
  async flush(): Promise<void> {
    await this.#request(COMMAND.flush, 0, 0, 0, null);
  }

  /** Says goodbye; resolves when the server has answered everything and closed the connection. */
  async disconnect(): Promise<void> {
    if (this.#failure === null) this.#sendRequest(COMMAND.disconnect, 0, 0, 0, 0, null);
    return this.#ended;
  }

  /** Drops the connection: outstanding requests reject. */
  destroy(): void {
    this.#fail(new NbdError('ECONNABORTED', 'the client gave the connection up'));
  }

  /** Called by the transport with what arrives; `bytes` may be reused afterwards. */
  received(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && this.#failure === null) {
      if (this.#target.length === 0) {
        this.#early.push(bytes.slice(at));
        return;
      }
      const count = Math.min(bytes.length - at, this.#target.length - this.#filled);
      this.#target.set(bytes.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === this.#target.length) this.#complete();
    }
  }

  /** Called by the transport when the connection is gone. */
  lost(why: string): void {
    this.#fail(new NbdError('ECONNRESET', `connection lost: ${why}`));
    this.#end();
  }

  #complete(): void {
    const [bytes, then] = [this.#target, this.#then];
    this.#target = NO_DATA;
    this.#filled = 0;
    this.#then = () => undefined;
    then(bytes);
  }

  #expect(target: Uint8Array, then: (bytes: Uint8Array) => void): void {
    if (target.length === 0) {
      then(target);
      return;
    }
    this.#target = target;
    this.#filled = 0;
    this.#then = then;
    const early = this.#early;
    this.#early = [];
    for (const chunk of early) this.received(chunk);
  }

  /** Everything outstanding rejects with the first failure. */
  #fail(error: Error): Error {
    if (this.#failure !== null) return this.#failure;
    this.#failure = error;
    this.#transport.destroy();
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#interrupt();
    return error;
  }

  // Handshake.

  async #negotiate(): Promise<void> {
    const flags = decodeGreeting(await this.#take(GREETING_BYTES));
    if (flags === null) throw new NbdError('EPROTO', 'this is no NBD server');
    if ((flags & HANDSHAKE_FLAG.fixedNewstyle) === 0)
      throw new NbdError('EPROTO', 'this NBD server is too old');
    this.#transport.send([
      encodeClientFlags(flags & (HANDSHAKE_FLAG.fixedNewstyle | HANDSHAKE_FLAG.noZeroes)),
    ]);
    if (this.#options.structured !== false)
      await this.#option(OPTION.structuredReply, NO_DATA).catch(onlyRefused);
    const request = encodeInfoRequest(this.#options.exportName ?? '', [INFO.blockSize]);
    for (const item of await this.#option(OPTION.go, request)) this.#info = decodeInfoItem(item, this.#info);
  }

  async #take(bytes: number): Promise<Uint8Array> {
    const taken = await new Promise<Uint8Array>((resolve) => {
      if (this.#failure !== null) {
        resolve(NO_DATA);
        return;
      }
      this.#interrupt = () => {
        resolve(NO_DATA);
      };
      this.#expect(new Uint8Array(bytes), resolve);
    });
    if (this.#failure !== null) throw this.#failure;
    return taken;
  }

  /** Sends an option; the data of the replies that came before the acknowledgement. */
  async #option(option: number, data: Uint8Array): Promise<Uint8Array[]> {
    this.#transport.send([encodeOption(option, data)]);
    const items: Uint8Array[] = [];
    for (;;) {
      const reply = decodeOptionReply(await this.#take(OPTION_REPLY_BYTES));
      if (reply?.option !== option || reply.length > MAX_SMALL_BYTES) {
        throw new NbdError('EPROTO', 'the server sent no proper option reply');
      }
      const payload = await this.#take(reply.length);
      if (reply.type === OPTION_REPLY.ack) return items;
      if (reply.type >= OPTION_REPLY.unsupported) throw optionError(reply.type, payload);
      items.push(payload);
    }
  }

  // Transmission.

  #request(
    type: number,
    flags: number,
    offset: number,
    length: number,
    data: Uint8Array | null,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      const cookie = this.#nextCookie++;
      const content = type === COMMAND.read ? new Uint8Array(length) : null;
      this.#pending.set(cookie, { content, offset, resolve, reject, failure: null });
      this.#sendRequest(type, flags, cookie, offset, length, data);
    });
  }

  #sendRequest(
    type: number,
    flags: number,
    cookie: number,
    offset: number,
    length: number,
    data: Uint8Array | null,
  ): void {
    const header = new Uint8Array(REQUEST_BYTES);
    const [cookieHigh, cookieLow] = [Math.floor(cookie / 2 ** 32), cookie % 2 ** 32];
    encodeRequest(viewOf(header), 0, { type, flags, cookieHigh, cookieLow, offset, length });
    this.#transport.send(data === null || data.length === 0 ? [header] : [header, data]);
  }

  #expectReply(): void {
    this.#expect(new Uint8Array(4), (magic) => {
      const size = replyHeaderBytes(viewOf(magic), 0);
      if (size === 0) {
        this.#fail(new NbdError('EPROTO', 'the server sent something that is no reply'));
        return;
      }
      const header = new Uint8Array(size);
      header.set(magic);
      this.#expect(header.subarray(4), () => {
        this.#reply(header);
      });
    });
  }

  #reply(header: Uint8Array): void {
    const reply = decodeReply(viewOf(header), 0);
    const cookie = reply.cookieHigh * 2 ** 32 + reply.cookieLow;
    const pending = this.#pending.get(cookie);
    if (pending === undefined) {
      this.#fail(new NbdError('EPROTO', 'the server answered what nobody asked'));
    } else if (reply.kind === 'simple') {
      if (reply.error !== 0) pending.failure = new NbdError(errorCode(reply.error), errorCode(reply.error));
      const content = reply.error === 0 ? (pending.content ?? NO_DATA) : NO_DATA;
      this.#expect(content, () => {
        this.#settle(cookie, pending, true);
      });
    } else if (reply.type === CHUNK.offsetData) {
      this.#data(cookie, pending, reply.length, reply.done);
    } else if (reply.length > MAX_SMALL_BYTES) {
      this.#fail(new NbdError('EPROTO', 'the server sent an oversized chunk'));
    } else {
      this.#expect(new Uint8Array(reply.length), (payload) => {
        if (reply.type >= CHUNK.error) {
          const { error, message } = decodeErrorChunk(payload);
          pending.failure = new NbdError(errorCode(error), message === '' ? errorCode(error) : message);
        }
        this.#settle(cookie, pending, reply.done);
      });
    }
  }

  #data(cookie: number, pending: Pending, length: number, done: boolean): void {
    this.#expect(new Uint8Array(8), (payload) => {
      const at = decodeContentOffset(payload) - pending.offset;
      const bytes = length - 8;
      if (pending.content === null || at < 0 || bytes <= 0 || at + bytes > pending.content.length) {
        this.#fail(new NbdError('EPROTO', 'the server sent data outside of what was asked'));
        return;
      }
      this.#expect(pending.content.subarray(at, at + bytes), () => {
        this.#settle(cookie, pending, done);
      });
    });
  }

  #settle(cookie: number, pending: Pending, done: boolean): void {
    if (this.#failure !== null) return;
    if (done) {
      this.#pending.delete(cookie);
      if (pending.failure !== null) pending.reject(pending.failure);
      else pending.resolve(pending.content ?? NO_DATA);
    }
    this.#expectReply();
  }
}

function fuaFlag(options: { fua?: boolean }): number {
  return options.fua === true ? COMMAND_FLAG.fua : 0;
}

/** An option that the server does not have is no reason to give up. */
function onlyRefused(error: unknown): void {
  if (!(error instanceof NbdError) || error.code !== 'EINVAL') throw error;
}

function optionError(type: number, payload: Uint8Array): NbdError {
  const text = new TextDecoder().decode(payload);
  if (type === OPTION_REPLY.unknown) return new NbdError('ENOENT', `no such export: ${text}`);
  return new NbdError('EINVAL', `the server refused (0x${type.toString(16)}): ${text}`);
}

/** Connects and negotiates. Rejects with a system error when there is no server, else like `negotiate`. */
export async function connectNbd(address: NbdAddress, options: NbdClientOptions = {}): Promise<NbdClient> {
  const socket =
    'path' in address ? connect(address.path) : connect(address.port ?? DEFAULT_PORT, address.host);
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const client = new NbdClient(
    {
      send: (chunks) => {
        socket.cork();
        for (const chunk of chunks) socket.write(chunk);
        socket.uncork();
      },
      destroy: () => socket.destroy(),
    },
    options,
  );
  let reason = 'closed by the server';
  socket.on('error', (error) => {
    reason = error.message;
  });
  socket.on('data', (bytes) => {
    client.received(bytes);
  });
  socket.on('close', () => {
    client.lost(reason);
  });
  await client.negotiate();
  return client;
}
