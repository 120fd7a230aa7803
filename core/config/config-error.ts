/** Why a hast.conf was refused (core/spec/config.md section 6). */
export interface ConfigError {
  /** Exit status of the program that read the file. */
  readonly exitCode: number;
  /** The reference's text, for a log line of level error. */
  readonly text: string;
  /** As editors count, from 1. */
  readonly line: number;
  /** What would have been right there. */
  readonly expected: string;
}

export function isConfigError(value: object): value is ConfigError {
  return 'exitCode' in value;
}

/** The reference's text, then file, line and what was expected. */
export function describeConfigError(error: ConfigError, path: string): string {
  return `${error.text} (${path}:${error.line}: expected ${error.expected})`;
}
