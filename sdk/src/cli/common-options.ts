import { InvalidArgumentError, Option } from 'commander';

export const serverOption = new Option(
  '--server <url>',
  'model host; without it one is started here with the models that come along',
);
export const apiKeyFileOption = new Option('--api-key-file <file>', 'file with the API key of the host');
export const jsonOption = new Option('--json', 'one JSON object as the last line of standard output');

/** Parser of options that are a whole number of 1 or more. */
export function positiveInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('Not a whole number above 0.');
  return number;
}

/** Parser of options that are a whole number from 1 to 100. */
export function percentage(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 100)
    throw new InvalidArgumentError('Not a whole number from 1 to 100.');
  return number;
}
