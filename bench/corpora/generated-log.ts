/** Writes logs that are the same for the same seed; addresses are those for documentation and benchmarks. */
import { closeSync, openSync, writeSync } from 'node:fs'

export interface GeneratedLogOptions {
  readonly bytes: number
  /** Share of the lines that tell of a failed login, 0 to 1. */
  readonly attacks: number
  readonly seed: number
}

/** What a log holds, as its generator knows it. */
export interface GeneratedLogAnswer {
  readonly lines: number
  /** Lines that tell of a failed login. */
  readonly failures: number
}

/** A random whole number from 0 to below `n`. */
export type Pick = (n: number) => number

/** Writes lines to `file` until it has so many bytes. `line` makes one: `second` is when, from 0 on. */
export function writeGeneratedLog(
  file: string,
  { bytes, attacks, seed }: GeneratedLogOptions,
  line: (pick: Pick, attack: boolean, second: number) => string,
): GeneratedLogAnswer {
  const random = mulberry32(seed)
  const pick = (n: number) => Math.floor(random() * n)
  const fd = openSync(file, 'w')
  let [written, lines, failures, second] = [0, 0, 0, 0]
  let batch = ''
  while (written + batch.length < bytes) {
    second += random()
    const attack = random() < attacks
    batch += `${line(pick, attack, second)}\n`
    lines++
    if (attack) failures++
    if (batch.length > 1 << 20) [written, batch] = [written + writeSync(fd, batch), '']
  }
  writeSync(fd, batch)
  closeSync(fd)
  return { lines, failures }
}

/** An address for documentation, one in twenty IPv6. */
export function documentationAddress(pick: Pick): string {
  if (pick(20) === 0) return `2001:db8:${pick(65_536).toString(16)}::${(1 + pick(65_535)).toString(16)}`
  return `${['192.0.2', '198.51.100', '203.0.113'][pick(3)]}.${1 + pick(254)}`
}

/** An address of the networks for benchmarks (RFC 2544, RFC 5180): as many as a log of a large host names; one in twenty IPv6. */
export function benchmarkAddress(pick: Pick): string {
  // Some peers come again and again, most once or twice.
  const peer = pick(3) === 0 ? pick(200) : pick(131_072)
  if (peer % 20 === 0) return `2001:2:0:${(peer & 0xffff).toString(16)}::${(1 + pick(65_535)).toString(16)}`
  return `198.${18 + (peer >> 16)}.${(peer >> 8) & 255}.${peer & 255}`
}

/** A small generator of random numbers with a seed (Tommy Ettinger's mulberry32, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
