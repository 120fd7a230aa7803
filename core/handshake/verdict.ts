/** The counters that decide a handshake. */
export interface Lineage {
  readonly resuid: bigint;
  readonly localcnt: bigint;
  readonly remotecnt: bigint;
}

type SyncSource = 'primary' | 'secondary';

export type Verdict =
  | { readonly kind: 'resuid-mismatch' }
  | { readonly kind: 'split-brain' }
  | {
      readonly kind: 'accept';
      readonly syncsrc: SyncSource;
      /** What the secondary sends: nothing, the bitmap on its disk, or all ones (full synchronisation). */
      readonly map: 'none' | 'disk' | 'full';
      /** The secondary takes over the primary's resource id: it was never used, or re-created. */
      readonly adopts: boolean;
      /** Counters that no history explains: everything is copied, and it is worth a warning. */
      readonly impossible: boolean;
    };

/**
 * Who has the good data? Decided by the secondary, obeyed by the primary (core/spec/replication.md section 4).
 *
 *               PL < SR              PL = SR                  PL > SR
 *   SL < PR     full from primary    full from primary        full from primary       (impossible)
 *   SL = PR     full from primary    in sync, from primary    secondary out of date
 *   SL > PR     full from secondary  primary out of date      split-brain
 *
 * `mapIsClean`: a virgin secondary whose own bitmap is not empty was written to alone before it ever met a primary; the
 * short cut for two virgins would leave those writes as silent differences (W5).
 */
export function decide(
  primary: Lineage & { readonly virgin: boolean },
  secondary: Lineage,
  mapIsClean: boolean,
): Verdict {
  if (secondary.resuid === 0n) {
    const map = primary.virgin && mapIsClean ? 'none' : 'full';
    return { kind: 'accept', syncsrc: 'primary', map, adopts: true, impossible: false };
  }
  if (secondary.resuid !== primary.resuid) return { kind: 'resuid-mismatch' };
  const secondaryAhead = secondary.localcnt > primary.remotecnt;
  const secondaryBehind = secondary.localcnt < primary.remotecnt;
  const primaryAhead = primary.localcnt > secondary.remotecnt;
  const primaryBehind = primary.localcnt < secondary.remotecnt;
  if (secondaryAhead && primaryAhead) return { kind: 'split-brain' };
  const impossible = secondaryBehind || primaryBehind;
  return {
    kind: 'accept',
    syncsrc: secondaryAhead ? 'secondary' : 'primary',
    map: impossible ? 'full' : 'disk',
    adopts: false,
    impossible,
  };
}
