// Values of 32 bits and their bit planes. A group is 128 values in 32 vectors: value 4b + j is lane j of vector b. A bit
// plane is one vector: bit b of lane j belongs to value 4b + j.

/** Transposes a group in place: vector b of values becomes the plane of bit b, and the reverse. */
export function transpose(group: usize): void {
  swap(group, 16, 0xffff);
  swap(group, 8, 0xff00ff);
  swap(group, 4, 0xf0f0f0f);
  swap(group, 2, 0x33333333);
  swap(group, 1, 0x55555555);
}

@inline
function swap(group: usize, distance: u32, pattern: u32): void {
  const mask = i32x4.splat(pattern);
  for (let k: u32 = 0; k < 32; k = (k + distance + 1) & ~distance) {
    const low = group + (<usize>k << 4);
    const high = low + (<usize>distance << 4);
    const changed = v128.and(v128.xor(i32x4.shr_u(v128.load(low), distance), v128.load(high)), mask);
    v128.store(high, v128.xor(v128.load(high), changed));
    v128.store(low, v128.xor(v128.load(low), i32x4.shl(changed, distance)));
  }
}

/** All ones in the lanes whose bit b of a plane is set. */
@inline
export function spread(plane: v128, b: i32): v128 {
  return i32x4.neg(bitOf(plane, b));
}

/** Bit b of every lane of a plane, as 0 or 1. */
@inline
export function bitOf(plane: v128, b: i32): v128 {
  return v128.and(i32x4.shr_u(plane, b), i32x4.splat(1));
}

/** Writes the 32 planes of every group of `values`. */
export function splitPlanes(values: usize, planes: usize, groups: u32): void {
  memory.copy(planes, values, <usize>groups << 9);
  for (let g: u32 = 0; g < groups; g++) transpose(planes + (<usize>g << 9));
}

/** Copies the plane of one bit out of {@link splitPlanes}. */
export function copyPlane(planes: usize, bit: u32, target: usize, groups: u32): void {
  for (let g: u32 = 0; g < groups; g++)
    v128.store(target + (<usize>g << 4), v128.load(planes + (<usize>g << 9) + (<usize>bit << 4)));
}

/** Writes the low `bits` planes of the group at `scratch`, which is lost. @returns the address after them */
@inline
export function packGroup(scratch: usize, target: usize, bits: u32): usize {
  transpose(scratch);
  const bytes = <usize>bits << 4;
  memory.copy(target, scratch, bytes);
  return target + bytes;
}

/** The inverse of {@link packGroup}; higher bits are zero. @returns the address after the planes read */
@inline
export function unpackGroup(source: usize, scratch: usize, bits: u32): usize {
  const bytes = <usize>bits << 4;
  memory.copy(scratch, source, bytes);
  memory.fill(scratch + bytes, 0, 512 - bytes);
  transpose(scratch);
  return source + bytes;
}
