/** What the threads of a pool share: an Int32Array with the next item, a flag, and for each thread the item it works on. */

/** The item that is taken next. */
export const NEXT = 0;
/** Not 0: nothing more is begun, and what takes long is cut short. */
export const STOP = 1;
/** The first thread's item; the second thread's comes next, and so on. */
export const ITEMS = 2;
/** In place of an item. */
export const IDLE = -1;

/** What a thread is started with. */
export interface ThreadData {
  /** URL of a JobModule. */
  readonly module: string;
  /** For its `open`. */
  readonly data: unknown;
  /** Items are 0 .. count-1. */
  readonly count: number;
  readonly memory: Int32Array;
  /** Place of this thread's item in `memory`. */
  readonly slot: number;
}

/** Does item `index`; `report` may be called as often as there is something to tell. */
export type Job<Report> = (index: number, report: (report: Report) => void, mayGoOn: () => boolean) => void;

/** A module whose work can be spread over threads. What is opened and reported is cloned on its way. */
export interface JobModule<Data, Report> {
  open(data: Data): Promise<Job<Report>>;
}
