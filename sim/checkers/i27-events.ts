/**
 * I27: events come in their order. A primary connects, synchronises any number of times, each of them with one end, and
 * disconnects before it connects again. A secondary's worker connects once and disconnects once.
 */
import type { ResourceEvent, Role } from '../../core/resource/types.js';
import type { NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

/** What a worker has announced. */
interface Said {
  connected: boolean;
  /** A secondary's has, once. */
  everConnected: boolean;
  synchronising: boolean;
}

export function events({ view, ledger, report }: Bench): Checker {
  /** Null: the worker of a main daemon that has died may be there, too, and nobody knows who says what. */
  const said: Record<NodeName, Said | null> = { a: nothing(), b: nothing() };

  /** Why the event is out of order, or null. */
  function fault(
    { connected, everConnected, synchronising }: Said,
    role: Role,
    event: ResourceEvent,
  ): string | null {
    switch (event) {
      case 'connect':
        if (connected) return 'it is connected';
        if (synchronising) return 'the synchronisation before it has no end';
        return role === 'secondary' && everConnected ? 'its session is over' : null;
      case 'disconnect':
        return connected ? null : 'it is not connected';
      case 'syncstart':
        if (role !== 'primary' || !connected) return 'it is not connected';
        return synchronising ? 'one is under way' : null;
      case 'syncdone':
        if (!connected) return 'it is not connected';
        return synchronising ? null : 'none is under way';
      case 'syncintr':
        if (connected) return 'nothing has interrupted it';
        return synchronising ? null : 'none is under way';
      default:
        return connected ? 'it is connected' : null;
    }
  }

  return {
    workerStarted(node) {
      said[node] = ledger.facts[node].workers > 0 ? null : nothing();
    },
    event(node, role, event) {
      if (view.setup.cores[node] !== 'own') return;
      const state = said[node];
      if (state === null) return;
      const why = fault(state, role, event);
      if (why !== null) report(`${node}, ${role}, announces ${event}, but ${why}`);
      if (event === 'connect') state.connected = state.everConnected = true;
      else if (event === 'disconnect') state.connected = false;
      else if (event === 'syncstart') state.synchronising = true;
      else if (event === 'syncdone' || event === 'syncintr') state.synchronising = false;
    },
  };
}

function nothing(): Said {
  return { connected: false, everConnected: false, synchronising: false };
}
