/** Where a command speaks to people and to programs. */
export interface ConsoleOutput {
  /** A line for people: standard output, or standard error where a program reads the output. */
  line(text: string): void;
  /** The result for programs, one line of standard output; nothing unless `--json` was given. */
  result(value: object): void;
}

export function consoleOutput(json: boolean): ConsoleOutput {
  const people = json ? process.stderr : process.stdout;
  return {
    line: (text) => void people.write(`${text}\n`),
    result: (value) => void (json && process.stdout.write(`${JSON.stringify(value)}\n`)),
  };
}
