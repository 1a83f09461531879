/** Most characters of a long string (LO), PS3.5 section 6.2 */
const longest = 64;
const escape = 0x1b;

/**
 * @param value A long string as bytes in the object's character set.
 * @returns the value and an ASCII suffix, the value cut so that both have at most 64 characters.
 */
export function withSuffix(value: Uint8Array, suffix: string, characterSets: readonly string[]): Uint8Array {
  const text = value.subarray(0, value.findLastIndex((byte) => byte !== 0x20 && byte !== 0) + 1);
  const room = longest - suffix.length;
  const kept = text.subarray(0, text.length <= room ? text.length : cutAt(text, room, characterSets));
  return Uint8Array.of(...kept, ...Array.from(suffix, (character) => character.charCodeAt(0)));
}

/** @returns how many bytes hold at most `room` whole characters. */
function cutAt(text: Uint8Array, room: number, characterSets: readonly string[]): number {
  const beyondAscii = text.findIndex((byte) => byte >= 0x80 || byte === escape);
  if (beyondAscii < 0 || beyondAscii >= room) return room;
  const [characterSet = '', ...more] = characterSets;
  if (more.length === 0 && /^ISO_IR (1(?!92)\d\d|203|13)$/.test(characterSet)) return room; // one byte a character
  if (more.length === 0 && characterSet === 'ISO_IR 192') return utf8Cut(text, room);
  // Several bytes or shifts a character: only the ASCII before them can be cut safely.
  return beyondAscii;
}

function utf8Cut(text: Uint8Array, room: number): number {
  let characters = 0;
  const end = text.findIndex((byte) => (byte & 0xc0) !== 0x80 && ++characters > room);
  return end < 0 ? text.length : end;
}
