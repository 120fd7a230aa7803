import type { ResourceConfig } from '../config/types.js';
import type { MetadataStore } from '../metadata/store.js';
import type { Timer } from '../ports/clock.js';
import { portError, type PortError } from '../ports/error.js';
import type { DetachedSocket } from '../ports/network.js';
import { openComponent, type Component } from '../resource/component.js';
import { STARTING } from '../resource/statistics.js';
import { EXIT_CONFIG, EXIT_NOINPUT, EXIT_OK, EXIT_TEMPFAIL, type WorkerStatus } from '../resource/types.js';
import type { ResourceWorker, SecondarySession, WorkerPorts } from '../resource/worker.js';
import { Connection, type ConnectionSink } from '../wire/connection.js';
import { encodeFrame, MAX_LIST_BYTES, PROTOCOL_VERSION } from '../wire/frame.js';
import { encodeRefusal } from '../wire/handshake-messages.js';
import { Acceptance, type Accepted } from './acceptance.js';
import { Executor } from './executor.js';
import { Receiver } from './receiver.js';

/** Silence on connection A after which the primary is gone: two keepalives (core/spec/wire.md section 5). */
const SILENCE_MS = 20_000;
const TICK_MS = 1_000;
/** Storing that the copy is complete is tried again after so long. */
const RETRY_MS = 10_000;

/**
 * The worker of a resource in role secondary; it lives as long as one session (core/spec/replication.md section 7):
 *
 *   component read -> handshake 2 judged and answered -> requests received, executed, answered
 *
 * At the end of the session, for whatever reason, everything received in full is executed and flushed before the process
 * goes (W16): a write that memsync has acknowledged is not lost with the connection.
 */
export class Secondary implements ResourceWorker {
  readonly #ports: WorkerPorts;
  readonly #session: SecondarySession;
  readonly #connA: Connection;
  readonly #connB: Connection;
  #config: ResourceConfig;
  #extentsize = 0;
  #executor: Executor | null = null;
  #receiver: Receiver | null = null;
  #tick: Timer | null = null;
  #exitCode: number | null = null;
  #ended = false;
  #incomplete = false;
  /** How often the primary has said whether this copy is complete. */
  #announcements = 0;
  #retry: Timer | null = null;

  constructor(ports: WorkerPorts, config: ResourceConfig, session: SecondarySession) {
    this.#ports = ports;
    this.#config = config;
    this.#session = session;
    this.#connA = this.#adopt(session.connA);
    this.#connB = this.#adopt(session.connB);
    openComponent(ports, config.name, (error, component) => {
      if (component === null) this.#refuse(error ?? portError('EIO', 'cannot read the local component'));
      else this.#accept(component);
    });
  }

  status(): WorkerStatus {
    return {
      ...STARTING,
      ...this.#executor?.statistics.counts(),
      status: 'complete',
      extentsize: this.#extentsize,
      idleQueue: this.#executor?.idle ?? 0,
      localQueue: this.#executor?.busy ?? 0,
      localCopy: this.#incomplete ? 'incomplete' : 'complete',
    };
  }

  reload(config: ResourceConfig): void {
    this.#config = config;
  }

  stop(): void {
    this.#finish(EXIT_OK);
  }

  #adopt(detached: DetachedSocket): Connection {
    const limits = { maxVersion: PROTOCOL_VERSION, maxListBytes: MAX_LIST_BYTES };
    const waiting = this.#sink(() => {
      this.#lose(portError('EPROTO', 'unexpected message'));
    });
    const connection = new Connection(() => this.#ports.clock.now(), limits, waiting);
    connection.bind(this.#ports.network.adopt(detached, connection));
    return connection;
  }

  #sink(unexpected: () => void): ConnectionSink {
    return {
      connected: () => undefined,
      listReceived: () => {
        unexpected();
        return null;
      },
      payloadReceived: () => undefined,
      lost: (error) => {
        this.#lose(error ?? portError('ENOTCONN', 'Socket is not connected'));
      },
    };
  }

  #accept(component: Component): void {
    this.#extentsize = component.metadata.extentsize;
    const acceptance = new Acceptance(this.#ports, this.#config, component);
    acceptance.judge(this.#session.handshake, (error, accepted) => {
      if (error !== null) {
        this.#ports.log.write('error', `${error.message}.`);
        this.#finish(EXIT_NOINPUT);
      } else if (accepted !== null) {
        this.#answer(component, accepted);
      }
    });
  }

  #answer(component: Component, accepted: Accepted): void {
    if (this.#ended || this.#exitCode !== null) return;
    const { version } = this.#session;
    const message = [encodeFrame(version, accepted.answer.fields), ...accepted.answer.data];
    if (accepted.kind === 'refused') {
      this.#ports.parent.event(accepted.event);
      this.#sayLast(message, EXIT_CONFIG);
      return;
    }
    this.#incomplete = accepted.metadata.current.incomplete;
    this.#connA.send(message);
    this.#ports.parent.event('connect');
    const executor = new Executor(this.#ports, component.metadata, {
      connB: this.#connB,
      version,
      metadata: accepted.metadata,
      mapBytes: component.bits.length,
      config: () => this.#config,
      drained: () => {
        this.#drained();
      },
    });
    this.#executor = executor;
    const receiver = new Receiver(this.#ports, component.metadata, executor, this.#connA, {
      lost: (error) => {
        this.#lose(error);
      },
      announced: (insync, stored) => {
        this.#mark(accepted.metadata, insync, stored);
      },
    });
    this.#receiver = receiver;
    this.#connA.handTo(receiver);
    this.#connA.lastReceivedAt = this.#ports.clock.now();
    this.#connA.resume();
    this.#connB.resume();
    this.#tick = this.#ports.clock.after(TICK_MS, this.#watch);
  }

  /**
   * Stores what the primary says of this copy. A mark that cannot be taken back is too much, but safe: it is tried again, since the
   * primary says it once.
   */
  #mark(metadata: MetadataStore, insync: boolean, stored: () => void): void {
    this.#retry?.cancel();
    const announcement = ++this.#announcements;
    metadata.update(
      () => ({ incomplete: !insync }),
      (error) => {
        if (error === null) this.#incomplete = !insync;
        else if (!insync) {
          this.#lose(error);
          return;
        } else if (announcement === this.#announcements && this.#exitCode === null) {
          this.#retry = this.#ports.clock.after(RETRY_MS, () => {
            this.#mark(metadata, true, () => undefined);
          });
        }
        stored();
      },
    );
  }

  /** Tells the primary why (D3); the reference would close without a word. */
  #refuse(error: PortError): void {
    this.#ports.log.write('error', `${error.message}.`);
    const pairs = encodeRefusal(`Local component of the secondary is unusable: ${error.message}.`, false);
    this.#sayLast([encodeFrame(this.#session.version, pairs)], EXIT_NOINPUT);
  }

  /** Sends the session's last message and ends when it is with the system, or when that takes too long. */
  #sayLast(message: readonly Uint8Array[], code: number): void {
    const end = (): void => {
      this.#finish(code);
    };
    this.#connA.send(message, { messageSent: end });
    this.#ports.clock.after(TICK_MS, end);
  }

  readonly #watch = (): void => {
    const now = this.#ports.clock.now();
    this.#tick = this.#ports.clock.after(TICK_MS, this.#watch);
    const timeoutMs = this.#config.timeout * 1000;
    const paused = this.#executor?.full === true;
    const silent = !paused && now - this.#connA.lastReceivedAt > SILENCE_MS;
    const stuck = this.#connB.unsentBytes > 0 && now - this.#connB.lastSentAt > timeoutMs;
    if (silent || stuck) this.#lose(portError('ETIMEDOUT', 'the primary is silent'));
  };

  #lose(error: PortError): void {
    if (this.#exitCode !== null || this.#ended) return;
    this.#ports.log.write('error', `Unable to receive request header: ${error.message}.`);
    if (this.#executor !== null) this.#ports.parent.event('disconnect');
    this.#connA.close();
    this.#connB.close();
    this.#finish(EXIT_TEMPFAIL);
  }

  #finish(code: number): void {
    if (this.#exitCode !== null || this.#ended) return;
    this.#exitCode = code;
    this.#tick?.cancel();
    this.#retry?.cancel();
    if (this.#receiver === null) this.#connA.pause();
    else this.#receiver.stop();
    if (this.#executor === null) this.#exit(code);
    else this.#executor.drain();
  }

  /** Everything that was received in full is executed; make it durable and go. */
  #drained(): void {
    const code = this.#exitCode;
    if (code === null || this.#ended) return;
    this.#ports.disk.flush(() => {
      this.#exit(code);
    });
  }

  #exit(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connA.close();
    this.#connB.close();
    this.#ports.parent.exit(code);
  }
}
