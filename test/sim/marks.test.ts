/** Marks: what nodes log, report and hold on their disks is recognised for what it is. */
import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../core/metadata/codec.js';
import { Marks, MARKS } from '../../sim/marks.js';
import { HOSTILE_MARKS } from '../../sim/nemesis/action-marks.js';
import { DEFAULT_SETUP, type NodeName, type Setup } from '../../sim/script/script.js';

const FRESH: Metadata = {
  ...{ resource: 'r0', datasize: 131_072, extentsize: 8192, keepdirty: 2, localoff: 4608 },
  ...{ resuid: 1n, localcnt: 0n, remotecnt: 0n, prevrole: 'primary', incomplete: false, localBad: [] },
};

class Stage {
  readonly disks: Record<NodeName, Metadata> = { a: FRESH, b: FRESH };
  readonly marks: Marks;

  constructor(setup: Partial<Setup> = {}) {
    this.marks = new Marks({ ...DEFAULT_SETUP, ...setup }, (node) => this.disks[node]);
    for (const node of ['a', 'b'] as const) this.marks.action({ kind: 'create', node });
    this.log('a', 'Role changed to primary.');
    this.log('b', 'Role changed to secondary.');
    this.log('a', 'Device hast/r0 created.');
  }

  log(node: NodeName, text: string): void {
    this.marks.logged(node, 'info', text);
  }

  connect(): void {
    this.log('a', 'Connected to tcp4://10.0.0.2.');
    this.marks.event('a', ['connect', 'r0']);
  }

  startSync(): void {
    this.log('a', 'Synchronization started. 8kB to go.');
    this.marks.event('a', ['syncstart', 'r0']);
  }

  write(block: number, count = 1): void {
    this.marks.action({ kind: 'request', node: null, request: { kind: 'write', block, count, label: null } });
  }

  get reached(): readonly string[] {
    return [...this.marks.reached];
  }
}

describe('marks', () => {
  it('have names of their own', () => {
    expect(new Set(MARKS).size).toBe(MARKS.length);
    expect(MARKS.filter((mark) => HOSTILE_MARKS.includes(mark))).toEqual([]);
  });

  it('tell two virgins from a virgin secondary', () => {
    const two = new Stage();
    two.connect();
    two.log('a', 'Nodes are in sync.');
    expect(two.reached).toEqual(['handshake: two virgins']);
    const one = new Stage();
    one.connect();
    one.startSync();
    expect(one.reached).toEqual(['synchronisation to the secondary', 'handshake: virgin secondary']);
  });

  it.each([
    ['in sync', [1n, 2n], [2n, 1n]],
    ['secondary out of date', [2n, 2n], [2n, 1n]],
    ['primary out of date', [1n, 2n], [3n, 1n]],
  ] as const)('tell the verdict %s by the counters', (verdict, ours, theirs) => {
    const stage = new Stage();
    stage.connect();
    stage.marks.reached.clear();
    stage.disks.a = { ...FRESH, localcnt: ours[0], remotecnt: ours[1] };
    stage.disks.b = { ...FRESH, localcnt: theirs[0], remotecnt: theirs[1] };
    stage.connect();
    expect(stage.reached).toEqual([`handshake: ${verdict}`]);
  });

  it('tell the direction of a synchronisation, and its end', () => {
    const stage = new Stage();
    stage.connect();
    stage.startSync();
    stage.marks.event('a', ['syncdone', 'r0']);
    expect(stage.reached).toContain('synchronisation to the secondary complete');
    stage.disks.a = { ...FRESH, incomplete: true };
    stage.startSync();
    stage.write(0);
    stage.log('a', 'Restarting worker process.');
    expect(stage.reached).toContain('synchronisation from the secondary');
    expect(stage.reached).toContain('write during synchronisation from the secondary');
    expect(stage.reached).toContain('synchronisation from the secondary interrupted');
  });

  it('tell in which mode a write was made, and for how many nodes', () => {
    const stage = new Stage({ replication: 'memsync' });
    stage.write(0);
    stage.connect();
    stage.marks.action({ kind: 'reload', node: null, replication: 'async' });
    stage.write(0);
    expect(stage.reached).toContain('memsync: write alone');
    expect(stage.reached).toContain('async: write to both');
    expect(stage.reached).not.toContain('memsync: write to both');
  });

  it('count the extents that one worker writes', () => {
    const stage = new Stage();
    stage.connect();
    stage.write(0);
    stage.write(15, 2);
    stage.write(3);
    expect(stage.reached).not.toContain('keepdirty eviction');
    stage.write(40);
    expect(stage.reached).toContain('keepdirty eviction');
  });

  it('notice bytes that only the peer has, and their repair', () => {
    const stage = new Stage();
    stage.connect();
    stage.log('a', 'Local request failed (EIO): WRITE(0, 512).');
    stage.disks.a = { ...FRESH, localBad: [{ offset: 0, length: 512 }] };
    stage.log('a', 'Disconnected from tcp4://10.0.0.2. (the peer does not answer)');
    stage.disks.a = FRESH;
    stage.connect();
    expect(stage.reached).toContain('data only the peer has');
    expect(stage.reached).toContain('bad data mended');
    expect(stage.reached).toContain('silent peer given up');
  });

  it('know who was struck', () => {
    const stage = new Stage();
    stage.marks.action({ kind: 'kill', node: 'b', what: 'worker' });
    stage.marks.action({ kind: 'power', node: 'a', on: false });
    stage.marks.action({ kind: 'power', node: 'b', on: false });
    expect(stage.reached).toEqual([
      'kill worker of secondary',
      'power off of primary',
      'both nodes without power',
      'power off of secondary',
    ]);
  });

  it('see what the log says, in whatever words it goes on', () => {
    const stage = new Stage();
    stage.log('a', 'Handshake with tcp4://10.0.0.2 failed: this node wrote alone during the handshake.');
    stage.marks.logged(
      'b',
      'warning',
      '3 extents written here while primary are overwritten with the primary.',
    );
    stage.marks.logged('a', 'debug2', 'Handshake with nobody.');
    expect(stage.reached).toEqual([
      'handshake given up',
      'handshake: wrote alone meanwhile',
      'lost writes reported',
    ]);
    expect(stage.reached.every((mark) => MARKS.includes(mark))).toBe(true);
  });
});
