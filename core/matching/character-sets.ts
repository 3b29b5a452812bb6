/** Sets of characters: merging ranges, Python's case-insensitivity, and what the classes hold. */
import type { CharacterRange, ClassName, SetNode } from './pattern-tree.ts'
import { casedBetween, ignoringCaseOf, lowerCase } from './unicode-tables.ts'

/** `\s`: what Python's `str.isspace` says. */
export const spaceRanges: readonly CharacterRange[] = [
  { from: 0x09, to: 0x0d },
  { from: 0x1c, to: 0x20 },
  { from: 0x85, to: 0x85 },
  { from: 0xa0, to: 0xa0 },
  { from: 0x1680, to: 0x1680 },
  { from: 0x2000, to: 0x200a },
  { from: 0x2028, to: 0x2029 },
  { from: 0x202f, to: 0x202f },
  { from: 0x205f, to: 0x205f },
  { from: 0x3000, to: 0x3000 },
]

const digitRanges: readonly CharacterRange[] = [{ from: 0x30, to: 0x39 }]
const wordRanges: readonly CharacterRange[] = [
  { from: 0x30, to: 0x39 },
  { from: 0x41, to: 0x5a },
  { from: 0x5f, to: 0x5f },
  { from: 0x61, to: 0x7a },
]
const asciiSpaceRanges = spaceRanges.filter((range) => range.to < 0x80)

/** The ASCII part of a class. */
export function asciiRanges(name: ClassName): readonly CharacterRange[] {
  switch (name) {
    case 'digit':
      return digitRanges
    case 'word':
      return wordRanges
    case 'space':
      return asciiSpaceRanges
    case 'not-digit':
      return complement(digitRanges, 0x7f)
    case 'not-word':
      return complement(wordRanges, 0x7f)
    case 'not-space':
      return complement(asciiSpaceRanges, 0x7f)
  }
}

/** What a class means under `(?a)`. Then the separators 0x1c to 0x1f are no white space. */
export function rangesUnderAscii(name: ClassName): readonly CharacterRange[] {
  const space = [
    { from: 0x09, to: 0x0d },
    { from: 0x20, to: 0x20 },
  ]
  if (name === 'space') return space
  if (name === 'not-space') return complement(space, 0x10ffff)
  return name.startsWith('not-') ? merge([...asciiRanges(name), { from: 0x80, to: 0x10ffff }]) : asciiRanges(name)
}

/** The ASCII characters of a set, as ranges in order. */
export function asciiPart(set: SetNode): readonly CharacterRange[] {
  const [only] = set.classes
  if (only !== undefined && set.classes.length === 1 && set.ranges.length === 0 && !set.negated)
    return asciiRanges(only)
  const ranges = merge([...set.ranges, ...set.classes.flatMap(asciiRanges)])
  if (set.negated) return complement(ranges, 0x7f)
  return ranges.filter((range) => range.from < 0x80).map(({ from, to }) => ({ from, to: Math.min(to, 0x7f) }))
}

/** The same characters as few ranges, in order. */
export function merge(ranges: readonly CharacterRange[]): readonly CharacterRange[] {
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last && from <= last.to + 1) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

/** All characters up to `limit` that lie in none of the ranges, which are in order. */
export function complement(ranges: readonly CharacterRange[], limit: number): readonly CharacterRange[] {
  const gaps: CharacterRange[] = []
  let next = 0
  for (const { from, to } of ranges) {
    if (from > limit) break
    if (from > next) gaps.push({ from: next, to: from - 1 })
    next = to + 1
  }
  if (next <= limit) gaps.push({ from: next, to: limit })
  return gaps
}

/** The ranges with the other cases of each letter, as Python compares them. Under `(?a)` only ASCII letters have a case. */
export function ignoringCase(ranges: readonly CharacterRange[], ascii: boolean): readonly CharacterRange[] {
  const wanted: CharacterRange[] = [...ranges]
  for (const { from, to } of ranges) {
    for (const code of from === to ? [from] : casedBetween(from, ascii ? Math.min(to, 0x7f) : to)) {
      for (const same of ascii ? asciiCases(code) : ignoringCaseOf(code)) wanted.push({ from: same, to: same })
    }
    if (ascii && from < to && to > 0xffff) wanted.push(...lowerCasesOf(from, to))
  }
  return merge(wanted)
}

/** Of a range that goes beyond U+FFFF, Python takes the lower case along even under `(?a)`. */
function lowerCasesOf(from: number, to: number): CharacterRange[] {
  return [...casedBetween(from, to)].flatMap((code) =>
    ignoringCaseOf(code)
      .filter((same) => lowerCase(same) === same)
      .map((same) => ({ from: same, to: same })),
  )
}

function asciiCases(code: number): readonly number[] {
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x7a ? [letter, letter & ~0x20] : [code]
}
