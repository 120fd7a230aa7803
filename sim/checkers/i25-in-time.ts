/**
 * I25: a failure of the peer turns into "not connected" within `timeout` and two keepalives; no request waits for ever, and one that
 * needs a peer who is away (W9) waits no longer than `timeout`. Sick disks and stopped processes excuse.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker, ClientRequest } from './checker.js';

const KEEPALIVES_MS = 20_000;
/** Timers tick each second, and judges look each second. */
const SLACK_MS = 4_000;
/** A device may be there before its worker has found out where the newest data is. */
const STARTUP_MS = 30_000;

interface Watch {
  /** When the node became primary's or secondary's worker, and when its session began. */
  startedMs: number;
  connectedMs: number;
  /** When the last session was over, or the worker began without one. */
  aloneMs: number;
  /** When its worker's peer was gone; Infinity: it is not. */
  goneMs: number;
  /** When it first answered a request in this term; Infinity: not yet. */
  servesMs: number;
  /** Told already. */
  told: ClientRequest | null;
}

export function inTime({ view, ledger, report }: Bench): Checker {
  const watches: Record<NodeName, Watch> = { a: newWatch(), b: newWatch() };
  const timeoutMs = view.setup.timeout * 1000;

  /** The primary `node` has to have noticed that nobody answers. */
  function checkSession(node: NodeName, watch: Watch): void {
    if (!ledger.facts[node].connected || view.slowAtMs() >= watch.connectedMs) return;
    const nowMs = view.nowMs();
    const deafMs = Math.max(view.deafMs(node), view.deafMs(otherNode(node)), nowMs - watch.goneMs);
    const silentMs = Math.min(deafMs, nowMs - watch.connectedMs, view.nodeCalmMs(node));
    if (silentMs <= timeoutMs + KEEPALIVES_MS + SLACK_MS) return;
    report(`${node} believes to be connected, and has not heard anything for ${String(silentMs)} ms`);
    watch.goneMs = Infinity;
    watch.connectedMs = nowMs;
  }

  /** The secondary's worker `node` has to have noticed that the primary is gone. */
  function checkSecondary(node: NodeName, watch: Watch): void {
    if (ledger.facts[node].worker !== 'secondary' || view.slowAtMs() >= watch.startedMs) return;
    const other = watches[otherNode(node)];
    const goneMs = ledger.facts[otherNode(node)].connected ? Infinity : other.aloneMs;
    const nowMs = view.nowMs();
    const silentMs = Math.min(nowMs - Math.max(goneMs, watch.startedMs), view.nodeCalmMs(node));
    if (silentMs <= KEEPALIVES_MS + timeoutMs + SLACK_MS) return;
    report(`${node} serves a primary that went ${String(silentMs)} ms ago`);
    watch.startedMs = nowMs;
  }

  function checkRequest(node: NodeName, watch: Watch): void {
    const request = view.oldest(node);
    if (request === null || request === watch.told || ledger.facts[node].worker !== 'primary') return;
    const calmMs = Math.min(view.nodeCalmMs(node), view.nodeCalmMs(otherNode(node)));
    const ageMs = Math.min(view.nowMs() - Math.max(request.issuedMs, watch.startedMs), calmMs);
    const isAlone = !ledger.facts[node].connected && request.issuedMs > watch.aloneMs;
    const isServed = request.issuedMs > watch.servesMs;
    const limitMs = isAlone && isServed ? timeoutMs + SLACK_MS : 4 * timeoutMs + KEEPALIVES_MS + STARTUP_MS;
    if (ageMs <= limitMs) return;
    watch.told = request;
    const what = `a ${request.command} of block ${String(request.block)} on ${node}`;
    report(`${what} has waited ${String(ageMs)} ms for an answer`, request.block);
  }

  return {
    event(node, role, event) {
      if (role !== 'primary') return;
      const watch = watches[node];
      if (event === 'connect') {
        watch.connectedMs = view.nowMs();
        watch.goneMs = Infinity;
      } else if (event === 'disconnect') watch.aloneMs = view.nowMs();
    },
    workerStarted(node) {
      const nowMs = view.nowMs();
      Object.assign(watches[node], newWatch(), { startedMs: nowMs, aloneMs: nowMs });
    },
    workerEnded(node) {
      watches[node].aloneMs = view.nowMs();
      const other = watches[otherNode(node)];
      if (other.goneMs === Infinity) other.goneMs = view.nowMs();
    },
    deviceAppeared(node) {
      watches[node].servesMs = Infinity;
    },
    answered({ node }) {
      const watch = watches[node];
      if (watch.servesMs === Infinity) watch.servesMs = view.nowMs();
    },
    passed() {
      for (const node of ['a', 'b'] as const) {
        const watch = watches[node];
        checkSession(node, watch);
        checkSecondary(node, watch);
        checkRequest(node, watch);
      }
    },
  };
}

function newWatch(): Watch {
  const [never, past] = [Infinity, -Infinity];
  return { startedMs: past, connectedMs: past, aloneMs: past, goneMs: never, servesMs: never, told: null };
}
