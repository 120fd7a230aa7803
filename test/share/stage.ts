/**
 * A machine made of pretences for the fail-over scripts: hastctl, mount, fsck, zpool, ifconfig and their like are one
 * small program (fakes/command) under many names, first on the PATH. It keeps what they are about in files, so a test says how
 * things are, runs a script, and sees how things are then and which commands were run in which order.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** From dist/test/share. */
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
export const SHARE = join(PROJECT, 'cli/share');
const FAKE = join(PROJECT, 'test/share/fakes/command');

const COMMANDS = [
  'hastctl',
  'findmnt',
  'mount',
  'umount',
  'sync',
  'fsck.ext4',
  'fsck_ufs',
  'fuser',
  'zpool',
  'ifconfig',
  'ip',
  'logger',
  'ucarp',
  'uname',
  'nbd-client',
  'modprobe',
];

export interface ScriptEnd {
  readonly status: number | null;
  readonly stderr: string;
}

/** How a resource is, one file for each. */
interface FakeResource {
  readonly role?: string;
  /** Process id of its worker, 0: none. */
  readonly worker?: string;
  /** After so many questions the worker is gone. */
  readonly questions?: string;
  readonly exported?: string;
  /** Another name than the resource's. */
  readonly provider?: string;
  /** `incomplete` or `unreadable`. */
  readonly metadata?: string;
  /** Exit status of `hastctl role`, when it fails. */
  readonly role_status?: string;
  /** After `role primary` there is no socket. */
  readonly deviceless?: string;
}

export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'hast-share-'));
  readonly #settings: Record<string, string> = {};

  constructor(system: 'Linux' | 'FreeBSD' = 'Linux') {
    for (const name of ['bin', 'resources', 'state', 'run/hast', 'dev']) {
      mkdirSync(join(this.folder, name), { recursive: true });
    }
    copyFileSync(FAKE, join(this.folder, 'bin/command'));
    chmodSync(join(this.folder, 'bin/command'), 0o755);
    for (const name of COMMANDS) symlinkSync('command', join(this.folder, 'bin', name));
    for (const name of ['calls', 'mounts', 'pools']) writeFileSync(this.path(name), '');
    writeFileSync(this.path('system'), system);
    this.set('hastctl', this.path('bin/hastctl'));
    this.set('state_dir', this.path('state'));
    this.set('run_dir', this.path('run'));
    this.set('device_dir', this.path('dev'));
    this.set('mount_dir', this.path('mnt'));
    this.set('attach', 'fake');
    for (const limit of ['hastd', 'peer', 'device', 'umount']) this.set(`${limit}_timeout`, '1');
    this.append(
      'attach_fake() { echo "attach $1" >>"$STAGE/calls"; [ ! -e "$STAGE/attach-fails" ] && ln -s /dev/null "$3"; }',
    );
    this.append('detach_fake() { [ ! -L "$3" ] || { echo "detach $1" >>"$STAGE/calls"; rm "$3"; }; }');
    this.append('attached_fake() { [ -L "$3" ]; }');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  get settingsPath(): string {
    return this.path('settings');
  }

  /** A setting of hast-failover. */
  set(name: string, value: string): void {
    this.#settings[name] = value;
    this.append(`${name}='${value}'`);
  }

  /** A line of the settings. */
  append(line: string): void {
    writeFileSync(this.settingsPath, `${line}\n`, { flag: 'a' });
  }

  /** A resource as it is now; what is not named is as before. */
  resource(name: string, facts: FakeResource): void {
    const folder = join(this.folder, 'resources', name);
    if (!existsSync(folder)) {
      mkdirSync(folder);
      this.resource(name, {
        role: 'secondary',
        worker: '0',
        exported: 'true',
        provider: name,
        metadata: 'complete',
      });
    }
    for (const [fact, value] of Object.entries(facts)) writeFileSync(join(folder, fact), String(value));
  }

  role(name = 'r0'): string {
    return readFileSync(this.path(`resources/${name}/role`), 'utf8').trim();
  }

  /** A file that makes a fake do something: see fakes/command. */
  fact(name: string, value = ''): void {
    writeFileSync(this.path(name), value);
  }

  is(name: string): boolean {
    return existsSync(this.path(name));
  }

  remove(name: string): void {
    rmSync(this.path(name));
  }

  /** What a file holds; '' when there is none. */
  read(name: string): string {
    return this.is(name) ? readFileSync(this.path(name), 'utf8') : '';
  }

  /** What is mounted: lines `device directory`. */
  get mounts(): string[] {
    return lines(readFileSync(this.path('mounts'), 'utf8'));
  }

  /** Commands that changed something, in order, without those that only look; cleared by this. */
  calls(): string[] {
    const calls = lines(readFileSync(this.path('calls'), 'utf8'));
    writeFileSync(this.path('calls'), '');
    return calls.map((call) => call.replaceAll(`${this.folder}/`, ''));
  }

  /** What logger was told: lines `facility.priority text`. */
  get logged(): string[] {
    return lines(this.read('log'));
  }

  /** Runs a script of cli/share with the settings. */
  run(script: string, ...args: readonly string[]): Promise<ScriptEnd> {
    return this.start(script, ...args).ended;
  }

  /** Starts one; `ended` comes when nobody has its standard error open any more. */
  start(
    script: string,
    ...args: readonly string[]
  ): { readonly exited: Promise<number | null>; readonly ended: Promise<ScriptEnd> } {
    const env = {
      ...process.env,
      PATH: `${this.path('bin')}:${process.env['PATH'] ?? ''}`,
      STAGE: this.folder,
      HAST_FAILOVER_CONF: this.settingsPath,
    };
    const child = spawn('/bin/sh', [join(SHARE, script), ...args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const ended = new Promise<ScriptEnd>((resolve) => {
      child.once('close', (status) => {
        resolve({ status, stderr: stderr.replaceAll(`${this.folder}/`, '') });
      });
    });
    return { exited, ended };
  }

  /** Nothing of the scripts is left behind in the directory of locks and notes, apart from these two. */
  get litter(): string[] {
    return readdirSync(this.path('state')).filter((name) => name !== 'lock' && name !== 'wanted');
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
