/** What a run of a script tells. */

/** An invariant that does not hold (`I1` ... `I30` of core/spec/replication.md section 14, `liveness`, `crash`, `expect`). */
export interface Violation {
  readonly invariant: string;
  /** In words, with what was found and what was expected. */
  readonly text: string;
  /** Virtual time, ms. */
  readonly atMs: number;
  /** Index of the step under way. */
  readonly step: number;
  /** The block it is about, if it is about one. */
  readonly block: number | null;
}

export interface RunResult {
  readonly violations: readonly Violation[];
  /** Rolling hash of everything that happened: the same script gives the same hash on every engine. */
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly requests: {
    readonly issued: number;
    readonly acknowledged: number;
    readonly failed: number;
  };
  /** Faults that were injected. */
  readonly faults: number;
  /** Fewer than half of the requests were acknowledged: it proves little. */
  readonly vacuous: boolean;
  /** Why data was allowed to be lost (a disk that lied, ...); null: it was not. */
  readonly excused: string | null;
  /** What was reached, of `MARKS` (sim/marks.ts). */
  readonly marks: ReadonlySet<string>;
}
