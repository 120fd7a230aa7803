import sinon from 'sinon';
import { describe, expect, it } from 'vitest';
import type { PortError } from '../../core/ports/error.js';
import type { Socket } from '../../core/ports/network.js';
import { Connection } from '../../core/wire/connection.js';
import { encodeFrame } from '../../core/wire/frame.js';
import type { Following } from '../../core/wire/reader.js';

/** A connection on a socket that only notes what is done to it. */
class World {
  nowMs = 0;
  following: Following = null;
  readonly heard: string[] = [];
  readonly socket = {
    localAddress: 'tcp://10.0.0.1:1',
    remoteAddress: 'tcp://10.0.0.2:2',
    peerUid: null,
    send: sinon.spy(),
    pause: sinon.spy(),
    resume: sinon.spy(),
    detach: sinon.stub().returns({ handle: 'fd 7', unread: Uint8Array.of(9) }),
    destroy: sinon.spy(),
  } satisfies Socket;
  readonly connection: Connection;

  constructor(bound = true) {
    this.connection = new Connection(() => this.nowMs, { maxVersion: 2, maxListBytes: 1000 }, this.sink(''));
    if (bound) this.connection.bind(this.socket);
  }

  sink(name: string) {
    return {
      connected: () => {
        this.heard.push(`${name}connected`);
      },
      listReceived: (version: number, list: Uint8Array) => {
        this.heard.push(`${name}v${String(version)} ${String(list.length)}`);
        return this.following;
      },
      payloadReceived: () => {
        this.heard.push(`${name}payload`);
      },
      lost: (error: PortError | null) => {
        this.heard.push(`${name}lost ${error?.code ?? 'EOF'}`);
      },
    };
  }

  arrive(...bytes: number[]): void {
    const target = this.connection.target();
    target.set(bytes);
    this.connection.filled(bytes.length);
  }
}

const EMPTY = [2, 0, 0, 0, 0];

describe('connection', () => {
  it('tells its owner what comes, and another one once it was handed over', () => {
    const world = new World();
    world.connection.connected();
    world.arrive(...EMPTY);
    world.connection.handTo(world.sink('next '));
    world.following = new Uint8Array(2);
    world.arrive(...EMPTY, 1);
    world.arrive(2);
    expect(world.heard).toEqual(['connected', 'v2 0', 'next v2 0', 'next payload']);
  });

  it('knows its ends, as far as there are any', () => {
    expect(new World().connection.remoteAddress).toBe('tcp://10.0.0.2:2');
    expect(new World().connection.localAddress).toBe('tcp://10.0.0.1:1');
    const unbound = new World(false).connection;
    expect([unbound.remoteAddress, unbound.localAddress]).toEqual(['N/A', 'N/A']);
    unbound.close();
    expect(unbound.open).toBe(false);
  });

  it('tells when a message’s buffers are free, each once, in order', () => {
    const world = new World();
    const free: string[] = [];
    for (const name of ['first', 'second']) {
      world.connection.send([new Uint8Array(10), new Uint8Array(5)], { messageSent: () => free.push(name) });
    }
    world.connection.send([new Uint8Array(1)]);
    expect(world.connection.unsentBytes).toBe(31);
    world.connection.sent(14);
    expect(free).toEqual([]);
    world.connection.sent(15);
    expect(free).toEqual(['first']);
    world.connection.sent(31);
    expect(free).toEqual(['first', 'second']);
    expect(world.connection.unsentBytes).toBe(0);
  });

  it('notes when bytes came in, and since when bytes wait to go out', () => {
    const world = new World();
    world.nowMs = 100;
    world.arrive(2);
    expect(world.connection.lastReceivedAt).toBe(100);
    world.nowMs = 200;
    world.connection.send([new Uint8Array(10)]);
    world.nowMs = 300;
    world.connection.send([new Uint8Array(10)]);
    expect(world.connection.lastSentAt).toBe(200);
    world.connection.sent(5);
    expect(world.connection.lastSentAt).toBe(300);
  });

  it('pauses socket and messages, and resumes both', () => {
    const world = new World();
    world.connection.pause();
    expect(world.socket.pause.calledOnce).toBe(true);
    world.arrive(...EMPTY);
    expect(world.heard).toEqual([]);
    world.connection.resume();
    expect(world.socket.resume.calledOnce).toBe(true);
    expect(world.heard).toEqual(['v2 0']);
  });

  it('a stream that is none is a loss (EPROTO), told once', () => {
    const world = new World();
    world.arrive(9, 0, 0, 0, 0);
    world.connection.closed(null);
    expect(world.heard).toEqual(['lost EPROTO']);
    expect(world.socket.destroy.calledOnce).toBe(true);
    expect(world.connection.open).toBe(false);
  });

  it.each([
    ['its end', null, 'lost EOF'],
    ['an error', { code: 'ECONNRESET', message: 'reset' }, 'lost ECONNRESET'],
  ])('%s is a loss', (_, error, heard) => {
    const world = new World();
    world.connection.closed(error);
    expect(world.heard).toEqual([heard]);
  });

  it('is silent once it was closed', () => {
    const world = new World();
    const messageSent = sinon.spy();
    world.connection.send([new Uint8Array(3)], { messageSent });
    world.connection.close();
    world.connection.close();
    world.connection.send([new Uint8Array(3)]);
    world.connection.connected();
    world.connection.sent(3);
    world.connection.closed(null);
    world.connection.filled(0);
    world.connection.pause();
    world.connection.resume();
    expect(world.heard).toEqual([]);
    expect(messageSent.called).toBe(false);
    expect(world.socket.send.calledOnce).toBe(true);
    expect(world.socket.destroy.calledOnce).toBe(true);
    expect([world.socket.pause.called, world.socket.resume.called]).toEqual([false, false]);
  });

  it('gives the socket away with every byte that nobody has seen', () => {
    const world = new World();
    world.connection.pause();
    world.arrive(...encodeFrame(2, []), 7, 8);
    const { handle, unread } = world.connection.detach();
    expect(handle).toBe('fd 7');
    expect(unread).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 7, 8, 9));
    expect(world.connection.open).toBe(false);
    world.connection.close();
    expect(world.socket.destroy.called).toBe(false);
  });
});
