import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../core/ports/clock.js';
import { ProgramHooks } from '../../native/hooks.js';

/** Time passes when the test says so. */
class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ atMs: number; fire: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): { cancel: () => void } {
    const timer = { atMs: this.#nowMs + delayMs, fire };
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
      },
    };
  }

  pass(ms: number): void {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs;) {
      this.#nowMs += 1000;
      for (const timer of [...this.#timers]) {
        if (timer.atMs > this.#nowMs) continue;
        this.#timers.delete(timer);
        timer.fire();
      }
    }
  }

  get idle(): boolean {
    return this.#timers.size === 0;
  }
}

describe('exec hooks', () => {
  let folder = '';
  let clock = new ManualClock();
  let lines: string[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hast-hooks-'));
    clock = new ManualClock();
    lines = [];
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function script(body: string): string {
    const path = join(folder, 'hook');
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  function hooks(): ProgramHooks {
    const log = {
      write: (level: string, text: string): void => {
        lines.push(`${level} ${text}`);
      },
    };
    return new ProgramHooks({ clock, log, foreground: false });
  }

  async function lineMatching(pattern: RegExp): Promise<string> {
    return vi.waitFor(() => {
      const line = lines.find((candidate) => pattern.test(candidate));
      if (line === undefined) throw new Error(`no line matches ${String(pattern)}: ${lines.join(' | ')}`);
      return line;
    }, 10_000);
  }

  it('runs the program itself, not a shell, in the environment and directory of the daemon', async () => {
    const path = script(`{ printf '%s|' "$@"; pwd; env; ls -l /proc/$$/fd; } > ${folder}/out`);
    hooks().run(path, ['role', 'a b', '$HOME', 'primary']);
    expect(await lineMatching(/exited/)).toMatch(
      /^debug1 Hook exited gracefully \(pid=\d+, cmd=\[.*hook role a b \$HOME primary\]\)\.$/,
    );
    const out = readFileSync(join(folder, 'out'), 'latin1');
    expect(out).toMatch(`role|a b|$HOME|primary|${process.cwd()}\n`);
    expect(out).toContain(`PATH=${process.env['PATH'] ?? ''}\n`);
    expect(out).toContain('0 -> /dev/null');
    expect(out).not.toMatch(/ [3-9]\d* -> (?!.*hook$)/m);
  });

  it('reports how a program ended', async () => {
    hooks().run(script('exit 3'), ['connect', 'r0']);
    const path = join(folder, 'hook');
    expect(await lineMatching(/ungracefully/)).toMatch(
      new RegExp(
        `^error Hook exited ungracefully \\(pid=\\d+, exitcode=3, cmd=\\[${path} connect r0\\]\\)\\.$`,
      ),
    );
    hooks().run(script('kill -9 $$'), ['disconnect', 'r0']);
    expect(await lineMatching(/killed/)).toMatch(
      new RegExp(`^error Hook was killed \\(pid=\\d+, signal=9, cmd=\\[${path} disconnect r0\\]\\)\\.$`),
    );
  });

  it('reports a program that cannot be executed', async () => {
    hooks().run('/nonexistent/hook', ['connect', 'r0']);
    const missing = 'error Unable to execute /nonexistent/hook: No such file or directory.';
    expect(await lineMatching(/nonexistent/)).toBe(missing);
    const path = script('');
    chmodSync(path, 0o644);
    hooks().run(path, ['connect', 'r0']);
    expect(await lineMatching(/denied/)).toBe(`error Unable to execute ${path}: Permission denied.`);
  });

  it('reports a slow program once a minute and never kills it', async () => {
    const runner = hooks();
    runner.run(script(`trap '' TERM; echo up > ${folder}/up; exec sleep 1000`), ['syncdone', 'r0']);
    clock.pass(59_000);
    expect(lines).toEqual([]);
    clock.pass(66_000);
    expect(lines).toEqual([
      expect.stringMatching(
        /^warning Hook is running for 60 seconds \(pid=\d+, cmd=\[.*hook syncdone r0\]\)\.$/,
      ),
      expect.stringMatching(
        /^warning Hook is running for 120 seconds \(pid=\d+, cmd=\[.*hook syncdone r0\]\)\.$/,
      ),
    ]);
    const pid = Number(/pid=(\d+)/.exec(lines[0] ?? '')?.[1]);
    process.kill(pid, 'SIGKILL');
    await lineMatching(/killed/);
    clock.pass(5_000);
    expect(clock.idle).toBe(true);
  });

  it('does not run a command that is too long', async () => {
    const path = script('');
    hooks().run(path, ['x'.repeat(1021 - path.length)]);
    expect(await lineMatching(/cmd/)).toMatch(/^debug1 Hook exited gracefully/);
    hooks().run(path, ['x'.repeat(1022 - path.length)]);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe('error Exec path too long, correct configuration file.');
  });
});
