/** Which sources a failure belongs to. */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where package.json is; this file is dist/cli/hastsim/commit.js. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The commit that is checked out, with `-dirty` when files differ from it; the package's version where there is no git. */
export function commitName(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', ROOT, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    // Installed somewhere below another project's checkout, its commit says nothing.
    if (realpathSync(git('rev-parse', '--show-toplevel')) === realpathSync(ROOT)) {
      return git('describe', '--always', '--dirty', '--abbrev=12', '--exclude=*');
    }
  } catch {
    // No git, or no repository.
  }
  const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { version: string };
  return `version ${version}`;
}
