/**
 * What a known defect is: a patch of the compiled core that brings it back, and where it must be noticed. Production code
 * carries no switches: a mutant is made in a temporary copy, and a patch that does not fit exactly once is an error.
 */

/** One replacement in a file below dist/core. The text is compared without the indentation of its lines. */
export interface Patch {
  /** For instance `primary/write-request.js`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** Kebab-case; beginning with `w1-` when it brings weakness W1 of the reference back. */
  readonly id: string;
  /** One sentence: what the core does wrong. */
  readonly title: string;
  /** `W1` to `W41` (core/spec/replication.md section 15). */
  readonly weakness?: string;
  /** What must notice it: `I1` to `I30` (section 14), the first that is broken as a rule. */
  readonly invariant: string;
  /** The profile of random histories that finds it. */
  readonly profile: string;
  readonly patches: readonly Patch[];
}

/** A weakness of the reference that no history of two nodes can show, and the test that judges it instead. */
export interface JudgedByTest {
  readonly weakness: string;
  /** Path of the test in the repository. */
  readonly test: string;
  readonly why: string;
}
