import type { HuImage } from '@cipherdose/sdk/image';

/** One material of the phantom. */
export interface Region {
  readonly name: string;
  readonly hu: number;
  /** Indices of its pixels. */
  readonly pixels: readonly number[];
}

const side = 256;

/** Ellipses, later ones over earlier ones: name, HU, centre [x, y], half axes [x, y]; pixels. */
const ellipses: readonly (readonly [string, number, number, number, number, number])[] = [
  ['fat', -100, 128, 128, 110, 90],
  ['soft tissue', 50, 128, 128, 102, 82],
  ['lung', -850, 75, 105, 30, 45],
  ['lung', -850, 181, 105, 30, 45],
  ['vessel', 30, 75, 105, 6, 6],
  ['nodule', 0, 181, 90, 4, 4],
  ['cortical bone', 700, 128, 185, 20, 16],
  ['marrow', 250, 128, 185, 10, 8],
  ...[-60, -30, -15, 15, 30, 60].map(
    (contrast, i) => [`disc of ${contrast} HU`, 50 + contrast, 73 + 22 * i, 158, 9, 9] as const,
  ),
  ['rod of metal', 1500, 128, 60, 3, 3],
  ['rod of bone', 400, 128, 80, 2, 2],
  ['rod of fat', -120, 128, 100, 5, 5],
];

/** A slice of 256 x 256 without noise: body, lungs, bone, discs of little contrast, rods. */
export function bodyPhantom(): { readonly image: HuImage; readonly regions: readonly Region[] } {
  const [hu, owner] = [new Int16Array(side * side).fill(-1000), new Array<string>(side * side).fill('air')];
  for (const [name, value, x, y, a, b] of ellipses)
    for (let i = 0; i < hu.length; i++)
      if (Math.hypot(((i % side) - x) / a, (Math.floor(i / side) - y) / b) <= 1) {
        hu[i] = value;
        owner[i] = name;
      }
  const regions = new Map<string, Region & { readonly pixels: number[] }>();
  owner.forEach((name, i) => {
    const region = regions.get(name) ?? { name, hu: hu[i] as number, pixels: [] };
    region.pixels.push(i);
    regions.set(name, region);
  });
  return { image: { width: side, height: side, hu }, regions: [...regions.values()] };
}
