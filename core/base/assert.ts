/** Bugs crash: an assertion stays on in production, ends the worker, and the worker is restarted. */
class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws when `condition` does not hold. For bugs only; what the world can do to us is a PortError value. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The last branch of a switch over a union: the compiler proves that nothing is left. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
