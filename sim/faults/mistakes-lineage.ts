/** Mistakes about who has the newest data: counters, verdicts, handshakes, roles. */
import type { Mutant } from './mutant.js';

const LINK = 'primary/link.js';
const LINEAGE = 'primary/lineage-keeper.js';
const VERDICT = 'handshake/verdict.js';
const MANAGED = 'daemon/managed-resource.js';
const ACCEPTOR = 'daemon/acceptor.js';

export const mistakesWithLineage: readonly Mutant[] = [
  {
    id: 'counted-once-only',
    title: 'After a completed synchronisation lonely writes are not counted any more.',
    invariant: 'I12',
    profile: 'default',
    patches: [
      {
        file: LINEAGE,
        find: `
            this.#separated = false;
            this.#era++;`,
        replace: 'this.#era++;',
      },
    ],
  },
  {
    id: 'counts-swapped',
    title: 'After a synchronisation the counters are stored the wrong way round.',
    invariant: 'I15',
    profile: 'default',
    patches: [
      {
        file: LINEAGE,
        find: '({ localcnt: peer.remotecnt, remotecnt: peer.localcnt, incomplete: false })',
        replace: '({ localcnt: peer.localcnt, remotecnt: peer.remotecnt, incomplete: false })',
      },
    ],
  },
  {
    id: 'doubtful-counts-agree',
    title: 'Counters that could not be stored, and may be on the disk all the same, count as unchanged.',
    invariant: 'I15',
    profile: 'flush',
    patches: [
      {
        file: 'primary/synchronizer.js',
        find: 'if (agreed && !lineage.separated && !metadata.doubtful) {',
        replace: 'if (agreed && !lineage.separated) {',
      },
    ],
  },
  {
    id: 'split-brain-accepted',
    title: 'Two nodes that both wrote alone are connected.',
    invariant: 'I12',
    profile: 'default',
    patches: [
      {
        file: VERDICT,
        find: `
            if (secondaryAhead && primaryAhead)
              return { kind: 'split-brain' };`,
        replace: '',
      },
    ],
  },
  {
    id: 'split-brain-cried',
    title: 'A secondary that wrote alone is refused, although the primary did not.',
    invariant: 'I13',
    profile: 'default',
    patches: [{ file: VERDICT, find: 'if (secondaryAhead && primaryAhead)', replace: 'if (secondaryAhead)' }],
  },
  {
    id: 'always-from-primary',
    title: 'A primary that is out of date copies its old data over the newer.',
    invariant: 'I14',
    profile: 'default',
    patches: [
      {
        file: VERDICT,
        find: `syncsrc: secondaryAhead ? 'secondary' : 'primary',`,
        replace: `syncsrc: 'primary',`,
      },
    ],
  },
  {
    id: 'always-from-secondary',
    title: 'A primary that wrote alone is told to copy from the secondary.',
    invariant: 'I14',
    profile: 'default',
    patches: [
      {
        file: VERDICT,
        find: `syncsrc: secondaryAhead ? 'secondary' : 'primary',`,
        replace: `syncsrc: secondaryAhead || primaryAhead ? 'secondary' : 'primary',`,
      },
    ],
  },
  {
    id: 'new-secondary-gets-little',
    title: 'A secondary that was created anew is given only what its own map says.',
    invariant: 'I17',
    profile: 'default',
    patches: [
      {
        file: VERDICT,
        find: `const map = primary.virgin && mapIsClean ? 'none' : 'full';`,
        replace: `const map = primary.virgin && mapIsClean ? 'none' : 'disk';`,
      },
    ],
  },
  {
    id: 'wrote-alone-meanwhile',
    title: 'A primary that wrote alone during a handshake relies on its verdict.',
    invariant: 'I14',
    profile: 'split',
    patches: [
      {
        file: LINK,
        find: 'if (!lineage.storing && metadata.current.localcnt === this.#toldCount)',
        replace: 'if (true)',
      },
    ],
  },
  {
    id: 'merged-map-not-durable',
    title: 'A session begins before the merged map is durable.',
    invariant: 'I11',
    profile: 'default',
    patches: [
      {
        file: LINK,
        find: 'map.merge(result.map);',
        replace: `
            map.merge(result.map);
            this.#mapStored(result, null);`,
      },
      {
        file: LINK,
        find: `
            mapPersisted: (error) => {
              this.#mapStored(result, error);`,
        replace: 'mapPersisted: () => {',
      },
    ],
  },
  {
    id: 'map-erased-at-handshake',
    title: 'A secondary erases its map when it answers the handshake.',
    invariant: 'I11',
    profile: 'default',
    patches: [
      {
        file: 'secondary/secondary.js',
        find: 'this.#connA.send(message);',
        replace: `
            this.#ports.disk.write(4096, new Uint8Array(component.bits.length), () => undefined);
            this.#connA.send(message);`,
      },
    ],
  },
  {
    id: 'out-of-date-not-marked',
    title: 'A primary that is out of date knows it until its worker ends.',
    invariant: 'I18',
    profile: 'resync',
    patches: [{ file: LINK, find: 'incomplete: outOfDate,', replace: 'incomplete: false,' }],
  },
  {
    id: 'primary-serves-primary',
    title: 'A primary whose peer is primary, too, lets itself be replaced.',
    invariant: 'I20',
    profile: 'default',
    patches: [
      { file: ACCEPTOR, find: `else if (role !== 'secondary') {`, replace: `else if (role === 'init') {` },
    ],
  },
  {
    id: 'worker-not-restarted',
    title: 'The worker of a primary that died is not started again.',
    invariant: 'I25',
    profile: 'default',
    patches: [
      {
        file: MANAGED,
        find: `
            this.log().write('info', 'Restarting worker process.');
            this.#startPrimary();`,
        replace: `this.log().write('info', 'Restarting worker process.');`,
      },
    ],
  },
];
