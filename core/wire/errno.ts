/**
 * `error` on the wire is a FreeBSD errno number (core/spec/wire.md section 8.2); inside, and on every other system,
 * an error is its POSIX name.
 */
const NUMBERS: readonly (readonly [code: string, errno: number])[] = [
  ['EPERM', 1],
  ['ENOENT', 2],
  ['EIO', 5],
  ['ENXIO', 6],
  ['ENOMEM', 12],
  ['EBUSY', 16],
  ['EINVAL', 22],
  ['ENOTTY', 25],
  ['EFBIG', 27],
  ['ENOSPC', 28],
  ['EROFS', 30],
  ['EOPNOTSUPP', 45],
  ['ECONNABORTED', 53],
  ['ECONNRESET', 54],
  ['ENOTCONN', 57],
  ['ETIMEDOUT', 60],
  ['ECONNREFUSED', 61],
  ['ESTALE', 70],
];
const EIO = 5;

const ERRNO_OF = new Map(NUMBERS);
const CODE_OF = new Map(NUMBERS.map(([code, errno]) => [errno, code]));

/** FreeBSD's number for a POSIX error name; EIO's for one that has no place on the wire. */
export function errnoOf(code: string): number {
  return ERRNO_OF.get(code) ?? EIO;
}

/** The POSIX name of a FreeBSD errno number; `EIO` for one we do not know. */
export function codeOfErrno(errno: number): string {
  return CODE_OF.get(errno) ?? 'EIO';
}
