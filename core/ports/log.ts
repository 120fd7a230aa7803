/** Levels of core/spec/cli.md section 8; `debug1` is for state changes, `debug2` for every request. */
export type LogLevel = 'crit' | 'error' | 'warning' | 'notice' | 'info' | 'debug1' | 'debug2';

/** Where messages go; whoever makes a Log for a resource puts the `[NAME] (ROLE) ` prefix in front. */
export interface Log {
  write(level: LogLevel, text: string): void;
  /** False: what is written at this level goes nowhere, so its text need not be made. Missing: everything is wanted. */
  wants?(level: LogLevel): boolean;
}
