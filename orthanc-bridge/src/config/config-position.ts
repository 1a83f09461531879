import { isMap, isNode, isScalar, type Document, type LineCounter } from 'yaml';

/** @returns the line of a field, or of the nearest thing around it if the field itself is missing. */
export function configPosition(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const field = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === field);
      if (pair && isNode(pair.key)) return lines.linePos(pair.key.range?.[0] ?? 0).line;
    } else {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node)) return lines.linePos(node.range?.[0] ?? 0).line;
    }
  }
  return 1;
}
