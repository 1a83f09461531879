import picomatch from 'picomatch';

type TextTest = (text: string) => boolean;

/**
 * A glob (`B3*`, upper and lower case are the same) or a regular expression between slashes (`/^B[34]\d/`).
 * @returns undefined if it is neither.
 */
export function textPattern(source: string): TextTest | undefined {
  const [, expression, flags] = /^\/(.+)\/([imsu]*)$/s.exec(source) ?? [];
  try {
    if (expression !== undefined) {
      const compiled = new RegExp(expression, flags);
      return (text) => compiled.test(text);
    }
    // bash: a star also matches slashes, which are common in descriptions.
    return picomatch(source, { nocase: true, bash: true, dot: true, nonegate: true });
  } catch {
    return undefined;
  }
}

export const isTextPattern = (source: string): boolean => textPattern(source) !== undefined;
