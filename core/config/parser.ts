/**
 * hast.conf (core/spec/config.md sections 2, 5, 6): text in, effective values for this node out.
 * One method per keyword, tables that say which keywords a block knows. The first error stops the parse; its text
 * is the reference's, which people's log matchers know, and what the reference does not say comes separately.
 */
import type { ConfigError } from './config-error.js';
import * as defaults from './defaults.js';
import type { SystemDefaults } from './defaults.js';
import { tokenize } from './lexer.js';
import type { Token } from './lexer.js';
import { EXIT_CONFIG, EXIT_TEMPFAIL } from '../resource/types.js';
import { acceptableNames, isThisNode } from './node-identity.js';
import type { NodeIdentity } from './node-identity.js';
import { parseSyncRate, SYNC_RATE_FORMS } from './sync-rate.js';
import type {
  ChecksumName,
  CompressionName,
  Config,
  ReplicationMode,
  ResourceConfig,
  SyncRate,
} from './types.js';

const REPLICATION_MODES: readonly ReplicationMode[] = ['fullsync', 'memsync', 'async'];
const CHECKSUMS: readonly ChecksumName[] = ['none', 'crc32', 'sha256'];
const COMPRESSIONS: readonly CompressionName[] = ['none', 'hole', 'lzf'];

const MAX_TEXT = 1023;
const MAX_NAME = 254;
const MAX_TIMEOUT = 2_147_483_647;

/** Ours, and no keyword: a resource may be called so, as ever. Where a statement begins no name can be. */
const SYNCRATE = 'syncrate';

/** The keywords a block knows and what each does, once it was read itself. */
type Statements = Readonly<Partial<Record<string, () => void>>>;

/** Settings that exist both globally and per resource. */
interface Replication {
  replication?: ReplicationMode;
  checksum?: ChecksumName;
  compression?: CompressionName;
  timeout?: number;
  exec?: string;
  metaflush?: boolean;
  syncrate?: SyncRate;
}

/** A resource as written; `node` is what its blocks for this node say. */
interface Draft extends Replication {
  readonly name: string;
  provname?: string;
  localpath?: string;
  node: {
    metaflush?: boolean;
    provname?: string;
    localpath?: string;
    remoteaddr?: string;
    sourceaddr?: string;
  };
  forThisNode: boolean;
}

/** Reads `text`, one character per byte, as it applies to the node `identity`. */
export function parseConfig(
  text: string,
  identity: NodeIdentity,
  system: SystemDefaults,
): Config | ConfigError {
  return new Parser(tokenize(text), identity, system).parse();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #identity: NodeIdentity;
  readonly #system: SystemDefaults;
  readonly #global: Replication = {};
  readonly #anyNode: { control?: string; pidfile?: string } = {};
  readonly #thisNode: { control?: string; pidfile?: string } = {};
  readonly #listen: string[] = [];
  readonly #drafts: Draft[] = [];
  #position = 0;
  #error: ConfigError | null = null;

  constructor(tokens: readonly Token[], identity: NodeIdentity, system: SystemDefaults) {
    this.#tokens = tokens;
    this.#identity = identity;
    this.#system = system;
  }

  parse(): Config | ConfigError {
    this.#block('end', {
      ...this.#daemonStatements(this.#anyNode, true),
      ...this.#replicationStatements(this.#global),
      on: () => this.#nodeBlock(),
      resource: () => this.#resourceBlock(),
    });
    const listen = this.#listen.length > 0 ? this.#listen : this.#system.listen;
    if (listen.length === 0) {
      this.#fail(
        'No address to listen on.',
        this.#next,
        'a listen address, the system has no IP',
        EXIT_TEMPFAIL,
      );
    }
    if (this.#error !== null) return this.#error;
    return {
      control: this.#thisNode.control ?? this.#anyNode.control ?? this.#system.control,
      pidfile: this.#thisNode.pidfile ?? this.#anyNode.pidfile ?? this.#system.pidfile,
      listen,
      resources: this.#drafts.map((draft) => this.#effective(draft)),
    };
  }

  // Statements -------------------------------------------------------------------------------------------------

  /** `control`, `pidfile`, `listen`; blocks of other nodes count for nothing. */
  #daemonStatements(target: { control?: string; pidfile?: string }, applies: boolean): Statements {
    const limit = applies ? MAX_TEXT : Infinity;
    return {
      control: () => this.#text('control', limit, (text) => (target.control = text)),
      pidfile: () => this.#text('pidfile', limit, (text) => (target.pidfile = text)),
      // The reference measures addresses even of other nodes.
      listen: () => this.#text('listen', MAX_TEXT, (text) => void (applies && this.#listen.push(text))),
    };
  }

  #replicationStatements(target: Replication): Statements {
    return {
      replication: () => this.#oneOf(REPLICATION_MODES, (mode) => (target.replication = mode)),
      checksum: () => this.#oneOf(CHECKSUMS, (checksum) => (target.checksum = checksum)),
      compression: () => this.#oneOf(COMPRESSIONS, (compression) => (target.compression = compression)),
      timeout: () => this.#timeout(target),
      exec: () => this.#text('Exec path', MAX_TEXT, (path) => (target.exec = path)),
      ...this.#metaflushStatement(target),
      [SYNCRATE]: () => this.#syncrate(target),
    };
  }

  #metaflushStatement(target: { metaflush?: boolean }): Statements {
    return { metaflush: () => this.#oneOf(['on', 'off'], (value) => (target.metaflush = value === 'on')) };
  }

  #timeout(target: Replication): void {
    const token = this.#take('number', 'a number of seconds');
    if (token === null) return;
    const seconds = Number(token.text);
    if (seconds < 1 || seconds > MAX_TIMEOUT) {
      this.#fail('Negative or zero timeout.', token, `1 to ${MAX_TIMEOUT} seconds`);
    }
    target.timeout = seconds;
  }

  #syncrate(target: Replication): void {
    const token = this.#next;
    const taken = this.#take(token.kind === 'number' ? 'number' : 'string', SYNC_RATE_FORMS);
    if (taken === null) return;
    const rate = parseSyncRate(taken.text);
    if (rate === null) this.#syntaxError(taken, SYNC_RATE_FORMS);
    else target.syncrate = rate;
  }

  /** `on NODE { ... }` outside resources. */
  #nodeBlock(): void {
    const label = this.#take('string', 'a node name');
    if (label === null) return;
    const applies = isThisNode(label.text, this.#identity);
    this.#braces(this.#daemonStatements(applies ? this.#thisNode : {}, applies));
  }

  #resourceBlock(): void {
    const token = this.#take('string', 'a resource name');
    if (token === null) return;
    if (token.text.length > MAX_NAME) {
      return this.#fail('Resource name is too long.', token, `at most ${MAX_NAME} bytes`);
    }
    if (this.#drafts.some(({ name }) => name === token.text)) {
      return this.#fail(`Resource ${token.text} configured more than once.`, token, 'another name');
    }
    const draft: Draft = { name: token.text, node: {}, forThisNode: false };
    this.#drafts.push(draft);
    this.#braces({
      ...this.#replicationStatements(draft),
      // The reference takes a longer provider name here and cuts it.
      name: () => this.#text('name', MAX_TEXT, (name) => (draft.provname = name.slice(0, MAX_NAME))),
      local: () => this.#text('local', MAX_TEXT, (path) => (draft.localpath = path)),
      on: () => this.#resourceNodeBlock(draft),
    });
    this.#checkResource(draft, token);
  }

  /** `on NODE { ... }` within a resource. */
  #resourceNodeBlock(draft: Draft): void {
    const label = this.#take('string', 'a node name');
    if (label === null) return;
    const applies = isThisNode(label.text, this.#identity);
    if (applies) draft.forThisNode = true;
    const node = applies ? draft.node : {};
    const [nameLimit, textLimit] = applies ? [MAX_NAME, MAX_TEXT] : [Infinity, Infinity];
    this.#braces({
      name: () => this.#text('name', nameLimit, (name) => (node.provname = name)),
      local: () => this.#text('local', textLimit, (path) => (node.localpath = path)),
      remote: () => this.#text('remote', textLimit, (address) => (node.remoteaddr = address), 'none'),
      source: () => this.#text('source', textLimit, (address) => (node.sourceaddr = address)),
      ...this.#metaflushStatement(node),
    });
  }

  #checkResource({ name, forThisNode, node, localpath }: Draft, token: Token): void {
    if (!forThisNode) {
      const names = acceptableNames(this.#identity);
      const text = `No resource ${name} configuration for this node (acceptable node names: ${names}).`;
      this.#fail(text, token, 'an on block for this node');
    } else if (node.remoteaddr === undefined) {
      this.#fail(
        `Remote address not configured for resource ${name}.`,
        token,
        'remote in the on block of this node',
      );
    } else if (node.localpath === undefined && localpath === undefined) {
      this.#fail(`Path to local component not configured for resource ${name}.`, token, 'local');
    }
  }

  #effective(draft: Draft): ResourceConfig {
    const { name, node } = draft;
    const global = this.#global;
    return {
      name,
      provname: node.provname ?? draft.provname ?? name,
      localpath: node.localpath ?? draft.localpath ?? '',
      remoteaddr: node.remoteaddr ?? 'none',
      sourceaddr: node.sourceaddr ?? '',
      replication: draft.replication ?? global.replication ?? defaults.DEFAULT_REPLICATION,
      checksum: draft.checksum ?? global.checksum ?? defaults.DEFAULT_CHECKSUM,
      compression: draft.compression ?? global.compression ?? defaults.DEFAULT_COMPRESSION,
      timeout: draft.timeout ?? global.timeout ?? defaults.DEFAULT_TIMEOUT,
      exec: draft.exec ?? global.exec ?? defaults.DEFAULT_EXEC,
      metaflush: node.metaflush ?? draft.metaflush ?? global.metaflush ?? defaults.DEFAULT_METAFLUSH,
      syncrate: draft.syncrate ?? global.syncrate ?? defaults.DEFAULT_SYNCRATE,
    };
  }

  // Tokens -----------------------------------------------------------------------------------------------------

  get #next(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '', line: 0 };
  }

  #braces(statements: Statements): void {
    if (this.#take('{', '{') !== null) this.#block('}', statements);
  }

  /** Statements up to the token `end`, which is taken too. */
  #block(end: '}' | 'end', statements: Statements): void {
    while (this.#error === null) {
      const token = this.#next;
      this.#position++;
      if (token.kind === end) return;
      const isStatement = token.kind === 'keyword' || (token.kind === 'string' && token.text === SYNCRATE);
      const statement = isStatement ? statements[token.text] : undefined;
      const known = Object.keys(statements).join(', ');
      if (statement === undefined) this.#syntaxError(token, end === '}' ? `${known} or }` : known);
      else statement();
    }
  }

  /** The next token if it is of `kind`, else null after a syntax error. */
  #take(kind: Token['kind'], expected: string): Token | null {
    const token = this.#next;
    this.#position++;
    if (token.kind === kind) return token;
    this.#syntaxError(token, expected);
    return null;
  }

  /** A name, path or address (or the keyword `special`); `what` is how the reference calls it. */
  #text(what: string, limit: number, use: (text: string) => void, special?: string): void {
    const token = this.#next;
    const isSpecial = special !== undefined && token.kind === 'keyword' && token.text === special;
    const taken = this.#take(
      isSpecial ? 'keyword' : 'string',
      'a name, path or address that is no keyword or number',
    );
    if (taken === null) return;
    const subject = what === 'Exec path' ? what : `${what} argument`;
    if (taken.text.length > limit) this.#fail(`${subject} is too long.`, taken, `at most ${limit} bytes`);
    use(taken.text);
  }

  #oneOf<Word extends string>(words: readonly Word[], use: (word: Word) => void): void {
    const token = this.#next;
    this.#position++;
    const word = words.find((candidate) => token.kind === 'keyword' && candidate === token.text);
    if (word === undefined) this.#syntaxError(token, words.join(', '));
    else use(word);
  }

  #syntaxError(token: Token, expected: string): void {
    const where = `at line ${token.line} near '${token.text}'`;
    this.#fail(`Unable to parse configuration file ${where}: syntax error`, token, expected);
  }

  #fail(text: string, { line }: Token, expected: string, exitCode = EXIT_CONFIG): void {
    this.#error ??= { exitCode, text, line: line + 1, expected };
  }
}
