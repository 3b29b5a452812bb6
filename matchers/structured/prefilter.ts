/**
 * Passes over lines that cannot match, by words that must stand in every line that does. Who writes a line may
 * spell a character as an escape, so a line counts as well when it holds an escape that stands for a character of
 * such a word; characters that writers escape by habit are kept out of the words.
 */
import type { FieldCheck, FieldRule, LineBlock, Structure } from '../../core/plugin.ts'

/** Bytes are gone over once a word: with more of them, one search in a text is quicker. */
const fewWords = 4
const backslash = 0x5c

/** Goes through the lines of a block that may match. `end` is the newline. */
export type Prefilter = (block: LineBlock, candidate: (start: number, end: number) => void) => void

/** A prefilter for all these structures, of one format. */
export function createPrefilter(structures: readonly Structure[], format: Structure['format']): Prefilter {
  const words = structures.map(({ match }) => allOf(match.map(wordsOfRule)))
  if (words.some((one) => one === null)) return (block, candidate) => block.lines(null, candidate)
  const distinct = [...new Set(words.flatMap((one) => one ?? []))]
  if (distinct.length === 0) return () => {}
  const search = new RegExp([...distinct.map(quoted), ...escapesOf(distinct.join(''), format)].join('|'), 'g')
  return (block, candidate) => {
    if (distinct.length > fewWords || mayHold(block.bytes, distinct)) block.lines(search, candidate)
  }
}

/** Whether bytes hold one of the words, or what an escape begins with. No text has to be made for it. */
function mayHold({ buffer, byteOffset, length }: Uint8Array, words: readonly string[]): boolean {
  const bytes = Buffer.from(buffer, byteOffset, length)
  return bytes.includes(backslash) || words.some((word) => bytes.includes(word))
}

/** One of the words stands in every line for which the rule holds; null where nothing is known. The rarest are the longest. */
function wordsOfRule({ conditions }: FieldRule): readonly string[] | null {
  return best(conditions.map(({ check }) => wordsOf(check)))
}

function wordsOf(check: FieldCheck): readonly string[] | null {
  switch (check.type) {
    case 'equal':
      // A number has many spellings.
      return check.texts.some((text) => text === '' || !Number.isNaN(Number(text)))
        ? null
        : allOf(check.texts.map(wordIn))
    case 'prefix':
    case 'suffix':
    case 'contains':
      return check.texts.some((text) => /^[-+0-9.eE]*$/.test(text)) ? null : allOf(check.texts.map(wordIn))
    case 'regex':
      return check.pattern.literals === null || check.pattern.literals.some((text) => /^[-+0-9.eE]*$/.test(text))
        ? null
        : allOf(check.pattern.literals.map(wordIn))
    case 'all':
      return best(check.of.map(wordsOf))
    case 'any':
      return allOf(check.of.map(wordsOf))
    case 'range':
    case 'exists':
    case 'not':
      return null
  }
}

/** The longest part without a character that may be spelled in two ways by habit. */
function wordIn(text: string): readonly string[] | null {
  const parts = text.split(/[^A-Za-z0-9 _.,:;@%#?!()[\]{}*^~`|$-]+/)
  const [longest = ''] = parts.toSorted((a, b) => b.length - a.length)
  return longest.length < 2 ? null : [longest]
}

function allOf(parts: readonly (readonly string[] | null)[]): readonly string[] | null {
  return parts.every((part) => part !== null) ? parts.flatMap((part) => part ?? []) : null
}

/** Of several that must all stand in a line, those whose shortest word is longest. */
function best(parts: readonly (readonly string[] | null)[]): readonly string[] | null {
  const shortest = (words: readonly string[]) => Math.min(...words.map(({ length }) => length))
  const known = parts.filter((part) => part !== null)
  const [first] = known.toSorted((a, b) => shortest(b) - shortest(a))
  return first ?? null
}

/** Escapes that stand for one of these characters. A blank of a pattern may be a newline. */
function escapesOf(characters: string, format: Structure['format']): string[] {
  const codes = [...new Set(characters)].map((one) => one.charCodeAt(0).toString(16).padStart(2, '0'))
  const newline = characters.includes(' ')
  const hex = [...codes, ...(newline ? ['0a'] : [])]
    .map((code) => code.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`))
    .join('|')
  const heads = format === 'json' ? ['u00'] : ['u00', 'x', 'U000000']
  return [...heads.map((head) => `\\\\${head}(?:${hex})`), ...(newline ? ['\\\\n'] : [])]
}

function quoted(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
