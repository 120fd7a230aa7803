/**
 * Everything the world can do to us, as a value: nothing is thrown across a port.
 * `code` is a POSIX error name ('EIO', 'ENOTCONN', 'EOPNOTSUPP', ...); `message` is for people.
 */
export interface PortError {
  readonly code: string;
  readonly message: string;
}

/** Completion of an asynchronous port call: null is success. Never called inside the call that started it. */
export type Done = (error: PortError | null) => void;

export function portError(code: string, message: string): PortError {
  return { code, message };
}

/** Narrowing test for `T | PortError` results. */
export function isPortError(value: unknown): value is PortError {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}
