/** Escapes and character classes of Python's regular expressions. */
import { characterNamed } from './character-names.ts'
import { ignoringCase, merge, rangesUnderAscii } from './character-sets.ts'
import type { PatternCursor } from './pattern-cursor.ts'
import type { AssertionNode, CharacterNode, CharacterRange, ClassName, SetNode } from './pattern-tree.ts'

/** The flags in force at a place of a pattern. */
export interface PatternFlags {
  readonly ignoreCase: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
  readonly verbose: boolean
  readonly ascii: boolean
}

const classNames: Readonly<Record<string, ClassName>> = {
  d: 'digit',
  w: 'word',
  s: 'space',
  D: 'not-digit',
  W: 'not-word',
  S: 'not-space',
}

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

/** One character, or the set of its cases. */
export function characterNode(code: number, flags: PatternFlags): CharacterNode | SetNode {
  if (!flags.ignoreCase) return { type: 'character', code }
  const ranges = ignoringCase([{ from: code, to: code }], flags.ascii)
  const [first] = ranges
  if (ranges.length === 1 && first?.from === first?.to) return { type: 'character', code }
  return { type: 'set', negated: false, ranges, classes: [] }
}

/** An escape outside a class, the cursor behind its backslash: a node, or the number of a group it refers to. */
export function readEscape(
  cursor: PatternCursor,
  flags: PatternFlags,
): CharacterNode | SetNode | AssertionNode | { readonly type: 'group-number'; readonly number: number } {
  const letter = cursor.peek()
  const name = classNames[letter]
  if (name !== undefined) {
    cursor.take()
    return classNode(name, flags)
  }
  const kind = assertionKind(letter, flags)
  if (kind !== null) {
    cursor.take()
    return { type: 'assertion', kind }
  }
  const octal = cursor.match(/0[0-7]{0,2}|[1-7][0-7]{2}/y)
  if (octal) return characterNode(octalCode(cursor, octal[0]), flags)
  const reference = cursor.match(/[1-9][0-9]?/y)
  if (reference) return { type: 'group-number', number: Number(reference[0]) }
  return characterNode(readCharacterEscape(cursor), flags)
}

/** A class, the cursor behind its `[`. */
export function readClass(cursor: PatternCursor, flags: PatternFlags): SetNode {
  const opening = cursor.position - 1
  const negated = cursor.eat('^')
  const ranges: CharacterRange[] = []
  const classes = new Set<ClassName>()
  for (let first = true; first || !cursor.eat(']'); first = false) {
    if (cursor.done) cursor.fail('the class [ has no closing ]', opening)
    const at = cursor.position
    const from = readMember(cursor)
    const dash = cursor.peek() === '-' && !cursor.text.startsWith('-]', cursor.position)
    if (!dash) addMember(from, ranges, classes, flags)
    else {
      cursor.take()
      if (cursor.done) cursor.fail('the class [ has no closing ]', opening)
      ranges.push(rangeOf(cursor, at, from, readMember(cursor)))
    }
  }
  return {
    type: 'set',
    negated,
    ranges: flags.ignoreCase ? ignoringCase(ranges, flags.ascii) : merge(ranges),
    classes: [...classes],
  }
}

function classNode(name: ClassName, flags: PatternFlags): SetNode {
  if (flags.ascii) return { type: 'set', negated: false, ranges: rangesUnderAscii(name), classes: [] }
  return { type: 'set', negated: false, ranges: [], classes: [name] }
}

function assertionKind(letter: string, flags: PatternFlags): AssertionNode['kind'] | null {
  switch (letter) {
    case 'A':
      return 'start'
    case 'Z':
      return 'end'
    case 'b':
      return flags.ascii ? 'ascii-boundary' : 'boundary'
    case 'B':
      return flags.ascii ? 'not-ascii-boundary' : 'not-boundary'
    default:
      return null
  }
}

function readMember(cursor: PatternCursor): number | ClassName {
  if (!cursor.eat('\\')) return cursor.take()
  const letter = cursor.peek()
  const name = classNames[letter]
  if (name !== undefined) {
    cursor.take()
    return name
  }
  if (cursor.eat('b')) return 8
  const octal = cursor.match(/[0-7]{1,3}/y)
  if (octal) return octalCode(cursor, octal[0])
  return readCharacterEscape(cursor)
}

function addMember(member: number | ClassName, ranges: CharacterRange[], classes: Set<ClassName>, flags: PatternFlags) {
  if (typeof member === 'number') ranges.push({ from: member, to: member })
  else if (flags.ascii) ranges.push(...rangesUnderAscii(member))
  else classes.add(member)
}

function rangeOf(cursor: PatternCursor, at: number, from: number | ClassName, to: number | ClassName): CharacterRange {
  const text = cursor.text.slice(at, cursor.position)
  if (typeof from !== 'number' || typeof to !== 'number') {
    return cursor.fail(`${text} is no range`, at, 'a range goes from one character to another; write \\- for a dash')
  }
  if (from > to) cursor.fail(`the range ${text} is upside down`, at)
  return { from, to }
}

function octalCode(cursor: PatternCursor, digits: string): number {
  const code = parseInt(digits, 8)
  return code > 0xff ? cursor.fail(`\\${digits} is beyond \\377`, cursor.position - digits.length - 1) : code
}

/** The character that an escape stands for in and outside of classes. */
function readCharacterEscape(cursor: PatternCursor): number {
  const at = cursor.position - 1
  if (cursor.done) cursor.fail('a backslash at the end', at, 'write \\\\ for a backslash')
  const hex = cursor.match(/x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})/y)
  if (hex) {
    const code = parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '', 16)
    return code > 0x10ffff ? cursor.fail(`\\${hex[0]} is no character`, at) : code
  }
  if (cursor.peek() === 'N') return readCharacterName(cursor, at)
  const code = cursor.take()
  const letter = String.fromCodePoint(code)
  const control = controls[letter]
  if (control !== undefined) return control
  if (/[A-Za-z0-9]/.test(letter)) {
    const allowed =
      'allowed are \\d \\D \\s \\S \\w \\W \\b \\B \\A \\Z \\a \\f \\n \\r \\t \\v \\xHH \\uHHHH \\UHHHHHHHH \\N{NAME}'
    cursor.fail(`unknown escape \\${letter}`, at, allowed)
  }
  return code
}

function readCharacterName(cursor: PatternCursor, at: number): number {
  const name = cursor.match(/N\{([^}\\]*)\}/y)?.[1]
  if (name === undefined) return cursor.fail('the name of a character is missing', at, 'write \\N{EM DASH}')
  return characterNamed(name) ?? cursor.fail(`no character has the name ${name}`, at)
}
