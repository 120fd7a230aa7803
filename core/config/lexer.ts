/**
 * Tokens of hast.conf (core/spec/config.md section 1). Newlines only count lines. Bytes outside the classes below
 * separate tokens and are otherwise skipped (L3); unlike the reference they are not echoed, and a comment may
 * end the file without a newline (L5).
 */

export const KEYWORDS: ReadonlySet<string> = new Set([
  'control',
  'pidfile',
  'listen',
  'replication',
  'checksum',
  'compression',
  'timeout',
  'exec',
  'metaflush',
  'resource',
  'name',
  'local',
  'remote',
  'source',
  'on',
  'off',
  'fullsync',
  'memsync',
  'async',
  'none',
  'crc32',
  'sha256',
  'hole',
  'lzf',
]);

export interface Token {
  readonly kind: 'keyword' | 'number' | 'string' | '{' | '}' | 'end';
  /** As written; empty at the end of the file. */
  readonly text: string;
  /** Newlines before the token: editors count one more (L6). */
  readonly line: number;
}

/** True for a text that can be written as a name, path or address: a STR token of its own (L1, L4). */
export function isWord(text: string): boolean {
  return /^[A-Za-z0-9._/:[\]-]+$/.test(text) && wordKind(text) === 'string';
}

/** All tokens of `text` (one character per byte), with one of kind `end` as the last. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /(?<newline>\n)|(?<comment>#[^\n]*)|(?<brace>[{}])|(?<word>[A-Za-z0-9._/:[\]-]+)/g;
  let line = 0;
  for (const { groups } of text.matchAll(pattern)) {
    const { newline, brace, word } = groups ?? {};
    if (newline !== undefined) line++;
    else if (brace === '{' || brace === '}') tokens.push({ kind: brace, text: brace, line });
    else if (word !== undefined) tokens.push({ kind: wordKind(word), text: word, line });
  }
  tokens.push({ kind: 'end', text: '', line });
  return tokens;
}

function wordKind(word: string): 'keyword' | 'number' | 'string' {
  if (KEYWORDS.has(word)) return 'keyword';
  return /^[0-9]+$/.test(word) ? 'number' : 'string';
}
