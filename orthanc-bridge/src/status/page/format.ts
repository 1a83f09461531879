/** Figures and times for people. */

const decimals = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });

/** 1 MB is 10^6 bytes, as networks count. */
export function bytes(count: number): string {
  if (count < 1e6) return `${decimals(count / 1e3)} kB`;
  return count < 1e9 ? `${decimals(count / 1e6)} MB` : `${decimals(count / 1e9)} GB`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Today: the time; else the date too. */
export function moment(iso: string): string {
  const date = new Date(iso);
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const today = date.toDateString() === new Date().toDateString();
  return today ? time : `${date.toLocaleDateString()} ${time}`;
}

export const secondsBetween = (start: string | undefined, end: string | undefined): number | undefined =>
  start === undefined || end === undefined ? undefined : (Date.parse(end) - Date.parse(start)) / 1000;

/** The first block of an Orthanc id is enough to find it again. */
export const shortId = (id: string): string => id.split('-')[0] ?? id;

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
