/** Places in a text that an expression of Python asks for. */
import type { AssertionNode } from '../../matching/pattern-tree.ts'
import { asciiWordTest, isIn, wordTest, type CharacterTest } from './program.ts'

const newline = 10

/** Whether the place at an offset is such a one; `text` holds code points. In an empty text there is neither `\b` nor `\B`. */
export function isPlace(kind: AssertionNode['kind'], text: Int32Array, at: number): boolean {
  const { length } = text
  switch (kind) {
    case 'start':
      return at === 0
    case 'line-start':
      return at === 0 || text[at - 1] === newline
    case 'end':
      return at === length
    case 'line-end':
      return at === length || text[at] === newline
    case 'last-line-end':
    case 'taken-last-line-end':
      return at === length || (at === length - 1 && text[at] === newline)
    case 'boundary':
      return length > 0 && isBoundary(wordTest, text, at)
    case 'not-boundary':
      return length > 0 && !isBoundary(wordTest, text, at)
    case 'ascii-boundary':
      return length > 0 && isBoundary(asciiWordTest, text, at)
    case 'not-ascii-boundary':
      return length > 0 && !isBoundary(asciiWordTest, text, at)
  }
}

function isBoundary(word: CharacterTest, text: Int32Array, at: number): boolean {
  const before = at > 0 && isIn(word, text[at - 1] ?? 0)
  const behind = at < text.length && isIn(word, text[at] ?? 0)
  return before !== behind
}
