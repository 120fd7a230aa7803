/**
 * Carries out the recorded operations, each in its turn: not before its line was exchanged, and not before the one before it
 * has ended, unless they were given together.
 */
import { codeOfErrno } from '../../../core/wire/errno.js';
import type { DeviceCommand } from '../../../core/ports/device.js';
import type { Submitted } from './application.js';
import { patternBytes } from './content.js';
import { positionOf, type Operation, type Side } from './recording.js';
import type { Stage } from './stage.js';

const POLL_MS = 100;

/** What the scripted peer does, and who wants to know of device requests. */
export interface OperatorHooks {
  readonly peerCloses?: () => void;
  readonly peerHalfCloses?: (operation: Operation) => void;
  /** The component is to be as after `hastctl create`. */
  readonly recreated?: (side: Side) => void;
  readonly submitted?: (operation: Operation, submitted: Submitted) => void;
}

export class Operator {
  readonly #stage: Stage;
  readonly #operations: readonly Operation[];
  readonly #hooks: OperatorHooks;
  readonly #faults = new Map<string, () => void>();
  #next = 0;
  #position = 0;
  /** Device requests without an answer. */
  #outstanding = 0;
  #resumeAtMs = 0;

  constructor(stage: Stage, operations: readonly Operation[], hooks: OperatorHooks) {
    this.#stage = stage;
    this.#operations = operations;
    this.#hooks = hooks;
  }

  /** Lines up to this number have been exchanged. */
  reached(position: number): void {
    this.#position = position;
  }

  /** Everything that was due has ended. */
  get idle(): boolean {
    const operation = this.#operations[this.#next];
    const waiting = operation !== undefined && positionOf(operation) <= this.#position;
    return !waiting && this.#outstanding === 0 && this.#stage.scheduler.nowMs >= this.#resumeAtMs;
  }

  /** The operation that comes next, for people. */
  get where(): string {
    return JSON.stringify(this.#operations[this.#next] ?? 'the end');
  }

  /** Lets time pass, and carries out what is due, until `condition` holds; false when it does not in time. */
  until(condition: () => boolean, withinMs: number): boolean {
    const { scheduler } = this.#stage;
    const endMs = scheduler.nowMs + withinMs;
    for (;;) {
      while (this.#due()) this.#carryOutNext();
      if (condition()) return true;
      const leftMs = endMs - scheduler.nowMs;
      if (leftMs < 0 || !scheduler.runUntil(() => condition() || this.#due(), leftMs)) return condition();
    }
  }

  /** Everything, to the end. */
  runAll(withinMs: number): boolean {
    this.reached(Infinity);
    return this.until(() => this.idle, withinMs);
  }

  #due(): boolean {
    const operation = this.#operations[this.#next];
    if (operation === undefined || positionOf(operation) > this.#position) return false;
    if (this.#stage.scheduler.nowMs < this.#resumeAtMs) return false;
    const before = this.#operations[this.#next - 1];
    const together = operation.pipelined === true && before?.pipelined === true;
    if (this.#outstanding > 0 && !together) return false;
    return !operation.op.startsWith('device-') || this.#applicationOf(operation).hasDevice;
  }

  #carryOutNext(): void {
    const operation = this.#operations[this.#next];
    if (operation === undefined) return;
    this.#next++;
    const side = sideOf(operation) ?? 'primary';
    const node = this.#stage.nodes[side];
    switch (operation.op) {
      case 'role':
        this.#stage.setRole(side, operation.role ?? 'init');
        return;
      case 'start-primary':
      case 'start-secondary':
        node.start();
        return;
      case 'kill-primary':
      case 'kill-secondary':
        node.stop();
        return;
      case 'recreate-component':
        this.#hooks.recreated?.(side);
        return;
      case 'inject-fault':
      case 'clear-fault':
        this.#switchFault(operation, side);
        return;
      case 'set-metadata':
        this.#setMetadata(operation, side);
        return;
      case 'wait':
        this.#wait(operation);
        return;
      case 'peer-closes':
        this.#hooks.peerCloses?.();
        return;
      case 'peer-half-closes':
        this.#hooks.peerHalfCloses?.(operation);
        return;
      // The scripted peer sends its lines by itself; what came before the recording was cut when the peer took over.
      case 'peer-sends':
      case 'cut':
        return;
      default:
        this.#submit(operation);
    }
  }

  #wait(operation: Operation): void {
    const { scheduler } = this.#stage;
    const holds = operation.until === undefined || this.holds(operation.until);
    if (!holds) this.#next--;
    this.#resumeAtMs = scheduler.nowMs + (holds ? (operation.seconds ?? 0) * 1000 : POLL_MS);
    // Something must happen then, for somebody to look at the time.
    scheduler.after(this.#resumeAtMs - scheduler.nowMs, () => undefined);
  }

  /** A condition of the recordings, all of them about the primary's status. */
  holds(until: string): boolean {
    const words = /^primary (?:reconnected, )?status (complete|degraded)( and nothing dirty)?$/.exec(until);
    if (words === null) throw new Error(`unknown condition '${until}'`);
    const status = this.#stage.status('primary');
    return status?.status === words[1] && (words[2] === undefined || status?.counters.dirty === 0);
  }

  #switchFault({ op, fault, error }: Operation, side: Side): void {
    if (fault === undefined) throw new Error(`${op} without a fault`);
    const name = `${side} ${fault}`;
    this.#faults.get(name)?.();
    this.#faults.delete(name);
    if (op === 'clear-fault') return;
    const code = codeOfErrno(error ?? 0);
    if (code !== 'EIO' && code !== 'ENOSPC' && code !== 'EOPNOTSUPP')
      throw new Error(`no fault with ${code}`);
    const medium = this.#stage.nodes[side].medium(this.#stage.resourceOf(side));
    this.#faults.set(name, medium.inject({ operation: fault, code, times: 'always' }));
  }

  /** The worker of the session before may still be on its way out. */
  #setMetadata({ resuid, localcnt, remotecnt }: Operation, side: Side): void {
    const node = this.#stage.nodes[side];
    const resource = this.#stage.resourceOf(side);
    this.#stage.scheduler.runUntil(() => !node.hasWorker(resource), 60_000);
    const current = node.metadata(resource);
    node.writeMetadata(resource, {
      ...current,
      resuid: BigInt(resuid ?? current.resuid),
      localcnt: BigInt(localcnt ?? current.localcnt),
      remotecnt: BigInt(remotecnt ?? current.remotecnt),
    });
  }

  #submit(operation: Operation): void {
    const command = /^device-(read|write|delete|flush)$/.exec(operation.op)?.[1] as DeviceCommand | undefined;
    if (command === undefined) throw new Error(`unknown operation '${operation.op}'`);
    const { offset = 0, length = 0, pattern = 'zeros' } = operation;
    const data = command === 'write' ? patternBytes(pattern, length) : null;
    this.#outstanding++;
    const application = this.#applicationOf(operation);
    const submitted = application.submit(command, { offset, length }, data, () => {
      this.#outstanding--;
    });
    this.#hooks.submitted?.(operation, submitted);
  }

  #applicationOf(operation: Operation): ReturnType<Stage['nodes']['primary']['application']> {
    const side = sideOf(operation) ?? 'primary';
    return this.#stage.nodes[side].application(this.#stage.resourceOf(side));
  }
}

/** On which node something was done; null: on neither, or on both. */
export function sideOf({ op, side }: Operation): Side | null {
  if (side === 'primary' || side === 'secondary') return side;
  const named = /^(?:start|kill)-(primary|secondary)$/.exec(op)?.[1] as Side | undefined;
  return named ?? (op.startsWith('device-') ? 'primary' : null);
}
