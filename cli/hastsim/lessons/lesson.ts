/** What a lesson is made of. Its scripts run on the real core; what they expect keeps the prose honest. */

export interface Lesson {
  readonly title: string;
  /** What it is about, in two or three sentences. */
  readonly about: string;
  /** Each plays in a world of its own. */
  readonly acts: readonly Act[];
  /** What to take home. */
  readonly moral: string;
}

export interface Act {
  /** Settings of the world, as behind `setup`. */
  readonly setup: string;
  /** Steps before the first page, of which only the outcome is of interest. */
  readonly before?: string;
  readonly pages: readonly Page[];
}

interface Page {
  /** What is going to happen, and why. */
  readonly text: string;
  /** Steps, one a line. */
  readonly script: string;
  /** Shows the disks only: what happens has been seen before. */
  readonly brief?: true;
  /** What to look at. */
  readonly look: string;
}
