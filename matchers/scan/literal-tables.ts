/** The tables with which the kernel looks for literals (`assembly/literals.ts`). */
import type { Kernel } from './kernel.ts'
import { HalfBytes, SeenWindows, windowLength } from './seen-windows.ts'
import type { TableMemory } from './table-memory.ts'

/** More literals make nearly every place seem to be one. */
const maxLiterals = 1024
const bucketCount = 8
/** Of the table of hashes of windows. */
const slotCount = 4096
/** So many windows that stand in the sample are compared with those of a bucket. */
const mostCompared = 256
const commonLetters = 'etaoinsrhldcumfpgwybvkxjqz'

/** Some texts of ASCII, each with the place of the bytes by which it is looked for, and with its bucket. */
export type LiteralWindows = readonly { readonly text: string; readonly window: number; readonly bucket: number }[]

/**
 * What is to be looked for, so that every line is found which holds one of the texts; null where that is no use. By which
 * of its bytes a text is looked for, and together with which others, `sample`, some of the log, decides: so that little
 * of it seems to be one of them.
 */
export function windowsOf(literals: readonly string[], sample: Uint8Array): LiteralWindows | null {
  const distinct = [...new Set(literals)]
  const needed = distinct.filter((one) => !distinct.some((other) => other !== one && one.includes(other)))
  if (needed.length === 0 || needed.length > maxLiterals || needed.some((text) => text.length < 2)) return null
  const seen = new SeenWindows(sample)
  const windows = needed.map((text) => ({ text, window: rarestWindow(text, seen) }))
  const bytes = windows.map(({ text, window }) => text.slice(window, window + windowLength))
  const bucketOf = inBuckets([...new Set(bytes)], seen)
  return windows.map((one, index) => ({ ...one, bucket: bucketOf.get(bytes[index] ?? '') ?? 0 }))
}

/** What looks for literals. */
export type LiteralKernel = Pick<Kernel, 'literalTables' | 'literalSlots' | 'literalSlot'>

/** Bytes that `writeLiterals` takes. */
export function literalBytes(windows: LiteralWindows): number {
  return windows.reduce((sum, { text }) => sum + 16 + text.length, 64)
}

/** Writes the tables; answers where the list of literals is. */
export function writeLiterals(windows: LiteralWindows, memory: TableMemory, kernel: LiteralKernel): number {
  const list = memory.take(literalBytes(windows))
  let bytesAt = list + windows.length * 16
  windows.forEach(({ text, window, bucket }, index) => {
    const bytes = Buffer.from(text, 'latin1')
    const slot = (kernel.literalSlots() >> 1) + kernel.literalSlot(windowBytes(bytes, window))
    memory.u32.set([bytesAt, bytes.length, window, memory.u16[slot] ?? 0], (list >> 2) + index * 4)
    memory.u16[slot] = index + 1
    if (bytes.length < windowLength) memory.u16[(kernel.literalSlots() >> 1) + slotCount] = 1
    memory.u8.set(bytes, bytesAt)
    bytesAt += bytes.length
    for (let place = 0; place < windowLength; place++)
      mark(memory.u8, kernel.literalTables() + place * 32, 1 << bucket, text.charCodeAt(window + place))
  })
  return list
}

/** The bytes of the window as a number, the first in the lowest bits. */
function windowBytes(bytes: Buffer, window: number): number {
  return bytes.readUIntLE(window, Math.min(windowLength, bytes.length))
}

/** Sets the bucket's bit for the half bytes of a byte; for all where there is none (not a number). */
function mark(bytes: Uint8Array, at: number, bit: number, byte: number): void {
  for (let half = 0; half < 16; half++) {
    const isAny = Number.isNaN(byte)
    if (isAny || half === (byte & 15)) bytes[at + half] = (bytes[at + half] ?? 0) | bit
    if (isAny || half === byte >> 4) bytes[at + 16 + half] = (bytes[at + 16 + half] ?? 0) | bit
  }
}

/**
 * Each goes where it makes the fewest others of the sample seem to be one of the bucket's windows, and then the fewest
 * that there could be.
 */
function inBuckets(windows: readonly string[], seen: SeenWindows): ReadonlyMap<string, number> {
  const others = seen.like(windows).slice(0, mostCompared)
  const buckets = Array.from({ length: bucketCount }, () => ({ halves: new HalfBytes(), seen: 0 }))
  const bucketOf = new Map<string, number>()
  for (const window of windows.toSorted((a, b) => seen.times(b) - seen.times(a))) {
    const choices = buckets.map(({ halves, seen: before }, bucket) => {
      const more = halves.with(window)
      const times = others.reduce((sum, [bytes, often]) => sum + (more.has(bytes) ? often : 0), 0)
      return { bucket, more, times, worse: times - before, wider: more.size - halves.size }
    })
    const best = choices.reduce((one, other) =>
      other.worse < one.worse || (other.worse === one.worse && other.wider < one.wider) ? other : one,
    )
    buckets[best.bucket] = { halves: best.more, seen: best.times }
    bucketOf.set(window, best.bucket)
  }
  return bucketOf
}

/** That which was seen least often; of several the one with the rarest letters. */
function rarestWindow(text: string, seen: SeenWindows): number {
  const windows = Array.from({ length: Math.max(1, text.length - windowLength + 1) }, (_, place) => {
    const window = text.slice(place, place + windowLength)
    return { place, times: seen.times(window), rarity: [...window].reduce((sum, letter) => sum + bits(letter), 0) }
  })
  return windows.reduce((best, one) =>
    one.times < best.times || (one.times === best.times && one.rarity > best.rarity) ? one : best,
  ).place
}

/** Roughly minus the binary logarithm of how often a character stands in a log. */
function bits(letter: string): number {
  const index = commonLetters.indexOf(letter)
  if (index >= 0) return 3 + index * 0.2
  if (letter === ' ') return 2.5
  return /[A-Z]/.test(letter) ? 6.5 : 4
}
