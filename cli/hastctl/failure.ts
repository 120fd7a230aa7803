/** Ends the program: `text` goes to the log at level error, then hastctl exits with `exitCode`. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;

  constructor(exitCode: number, text: string) {
    super(text);
    this.exitCode = exitCode;
  }
}
