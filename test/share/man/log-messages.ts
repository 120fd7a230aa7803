/**
 * What the programs log, read from their sources: every call `log.write(LEVEL, TEXT)` whose text is written out, there or
 * in a constant beside it. Values in a text count as `*`, so `Role changed to ${role}.` is `Role changed to *.`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface LogMessage {
  /** A level of core/ports/log.ts; `*` when it is decided elsewhere. */
  readonly level: string;
  readonly text: string;
  /** Path of the source. */
  readonly file: string;
}

/** Messages of all sources below `folders`. */
export function logMessages(folders: readonly string[]): readonly LogMessage[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => messagesOf(join(folder, name))),
  );
}

function messagesOf(file: string): LogMessage[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const messages: LogMessage[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isWrite(node)) {
      const [level, text] = node.arguments;
      if (level !== undefined && text !== undefined) {
        const texts = textsOf(text, node);
        for (const each of texts) messages.push({ level: levelOf(level), text: each, file });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return messages;
}

function isWrite({ expression, arguments: given }: ts.CallExpression): boolean {
  return ts.isPropertyAccessExpression(expression) && expression.name.text === 'write' && given.length === 2;
}

function levelOf(level: ts.Expression): string {
  return ts.isStringLiteral(level) ? level.text : '*';
}

/** What `expression` may be; nothing when it is all values. */
function textsOf(expression: ts.Expression, at: ts.Node): string[] {
  return alternatives(expression, at)
    .map((text) => text.replace(/\*+/g, '*'))
    .filter((text) => /[A-Za-z]{3}/.test(text));
}

function alternatives(expression: ts.Expression, at: ts.Node): string[] {
  if (ts.isStringLiteralLike(expression)) return [expression.text];
  if (ts.isTemplateExpression(expression)) {
    return expression.templateSpans.reduce(
      (starts, { expression: value, literal }) =>
        starts.flatMap((start) => alternatives(value, at).map((end) => start + end + literal.text)),
      [expression.head.text],
    );
  }
  if (ts.isConditionalExpression(expression)) {
    return [expression.whenTrue, expression.whenFalse].flatMap((branch) => alternatives(branch, at));
  }
  if (ts.isBinaryExpression(expression)) {
    const [left, right] = [alternatives(expression.left, at), alternatives(expression.right, at)];
    return left.flatMap((start) => right.map((end) => start + end));
  }
  if (ts.isIdentifier(expression)) {
    const value = constant(expression.text, at);
    if (value !== null) return alternatives(value, at);
  }
  return ['*'];
}

/** What a constant of that name is, in the nearest block around `at`. */
function constant(name: string, at: ts.Node): ts.Expression | null {
  for (let scope = at.parent; scope !== undefined; scope = scope.parent) {
    if (!ts.isBlock(scope) && !ts.isSourceFile(scope)) continue;
    for (const statement of scope.statements) {
      if (!ts.isVariableStatement(statement)) continue;
      for (const { name: declared, initializer } of statement.declarationList.declarations) {
        if (initializer !== undefined && ts.isIdentifier(declared) && declared.text === name)
          return initializer;
      }
    }
  }
  return null;
}
