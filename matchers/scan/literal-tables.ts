/** The tables with which the kernel looks for literals (`assembly/literals.ts`). */
import type { Kernel } from './kernel.ts'
import type { TableMemory } from './table-memory.ts'

/** More literals make nearly every place seem to be one. */
const maxLiterals = 1024
const bucketCount = 8
const windowLength = 3
const commonLetters = 'etaoinsrhldcumfpgwybvkxjqz'

/** Some texts of ASCII, each with the place of the bytes by which it is looked for. */
export type LiteralWindows = readonly { readonly text: string; readonly window: number }[]

/** What is to be looked for, so that every line is found which holds one of the texts; null where that is no use. */
export function windowsOf(literals: readonly string[]): LiteralWindows | null {
  const distinct = [...new Set(literals)]
  const needed = distinct.filter((one) => !distinct.some((other) => other !== one && one.includes(other)))
  if (needed.length === 0 || needed.length > maxLiterals || needed.some((text) => text.length < 2)) return null
  return needed.map((text) => ({ text, window: rarestWindow(text) }))
}

/** Bytes that `writeLiterals` takes. */
export function literalBytes(windows: LiteralWindows): number {
  return windows.reduce((sum, { text }) => sum + 16 + text.length, 64)
}

/** Writes the tables; answers where the list of literals is. */
export function writeLiterals(windows: LiteralWindows, memory: TableMemory, kernel: Kernel): number {
  const list = memory.take(literalBytes(windows))
  let bytesAt = list + windows.length * 16
  const buckets = inBuckets(windows)
  let index = 0
  for (const [bucket, members] of buckets.entries()) {
    memory.u32.set([index, members.length], (kernel.literalBuckets() >> 2) + bucket * 2)
    for (const { text, window } of members) {
      memory.u32.set([bytesAt, text.length, window, 0], (list >> 2) + index++ * 4)
      memory.u8.set(Buffer.from(text, 'latin1'), bytesAt)
      bytesAt += text.length
      for (let place = 0; place < windowLength; place++) {
        mark(memory.u8, kernel.literalTables() + place * 32, 1 << bucket, text.charCodeAt(window + place))
      }
    }
  }
  return list
}

/** Sets the bucket's bit for the half bytes of a byte; for all where there is none (not a number). */
function mark(bytes: Uint8Array, at: number, bit: number, byte: number): void {
  for (let half = 0; half < 16; half++) {
    const isAny = Number.isNaN(byte)
    if (isAny || half === (byte & 15)) bytes[at + half] = (bytes[at + half] ?? 0) | bit
    if (isAny || half === byte >> 4) bytes[at + 16 + half] = (bytes[at + 16 + half] ?? 0) | bit
  }
}

/** Literals of like windows share a bucket, so that its masks stay narrow. */
function inBuckets(windows: LiteralWindows): LiteralWindows[] {
  const key = ({ text, window }: LiteralWindows[number]) => text.slice(window, window + windowLength)
  const sorted = windows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  const distinct = [...new Set(sorted.map(key))]
  const bucketOf = (one: LiteralWindows[number]) =>
    Math.floor((distinct.indexOf(key(one)) * bucketCount) / Math.max(distinct.length, bucketCount))
  return Array.from({ length: bucketCount }, (_, bucket) => sorted.filter((one) => bucketOf(one) === bucket))
}

function rarestWindow(text: string): number {
  const places = Array.from({ length: Math.max(1, text.length - windowLength + 1) }, (_, place) => place)
  const rarity = (place: number) =>
    text
      .slice(place, place + windowLength)
      .split('')
      .reduce((sum, letter) => sum + bits(letter), 0)
  return places.reduce((best, place) => (rarity(place) > rarity(best) ? place : best))
}

/** Roughly minus the binary logarithm of how often a character stands in a log. */
function bits(letter: string): number {
  const index = commonLetters.indexOf(letter)
  if (index >= 0) return 3 + index * 0.2
  if (letter === ' ') return 2.5
  return /[A-Z]/.test(letter) ? 6.5 : 4
}
