import type { Figure } from './part.ts'

/** Median, 90th and 99th percentile and the longest of some times in ms. */
export function quantiles(times: readonly number[], prefix = ''): Figure[] {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return [
    ['p50', 0.5],
    ['p90', 0.9],
    ['p99', 0.99],
    ['longest', 1],
  ].map(([name, share]) => ({ subject: `${prefix}${name}`, values: { ms: at(Number(share)) } }))
}
