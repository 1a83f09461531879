import { joined, numbersOf, type Atom, type View } from './view.ts';

/** Channels that differ along some axes of a view alone, for each place on the others. */
export interface ChannelGroups {
  /** [group][channel of the group]: all groups have as many. */
  readonly members: readonly (readonly number[])[];
  /** A value of one channel for each group in the view, where those axes have one element. */
  readonly rest: View;
}

/** All channels as one group. */
export const oneGroup = (channels: number): ChannelGroups['members'] => [
  Array.from({ length: channels }, (_, channel) => channel),
];

/** The group of every channel. */
export function groupOfEach(members: ChannelGroups['members']): number[] {
  const groups: number[] = [];
  members.forEach((channels, group) => channels.forEach((channel) => (groups[channel] = group)));
  return groups;
}

/** @returns undefined if something else than channels is along one of the axes */
export function channelGroups(view: View, axes: ReadonlySet<number>): ChannelGroups | undefined {
  const along = view.filter((_, axis) => axes.has(axis)).flat();
  if (!along.every(isChannel)) return undefined;
  const others = view
    .filter((_, axis) => !axes.has(axis))
    .flat()
    .filter(isChannel)
    .toSorted((a, b) => b.step - a.step);
  const within = numbersOf(along);
  const steps = new Map<Atom, number>();
  others.reduceRight((step, atom) => (steps.set(atom, step), step * atom.size), 1);
  const renumbered = (atom: Atom): Atom => ({ ...atom, step: steps.get(atom) ?? atom.step });
  return {
    members: numbersOf(others).map((first) => within.map((number) => first + number)),
    rest: view.map((dimension, axis) => (axes.has(axis) ? [] : joined(dimension.map(renumbered)))),
  };
}

const isChannel = ({ axis }: Atom): boolean => axis === 'channel';
