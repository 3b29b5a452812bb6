import { BailiffError, quote } from '../errors.ts'
import { NamePattern } from './name-pattern.ts'

/** What one name on the way may be: this name, one that matches, or any folders (`**`). */
type Segment = string | NamePattern | typeof anyFolders

const anyFolders = Symbol('**')
const maxAlternatives = 256
/** PATH_MAX of Linux. */
const longestPattern = 4096

/** How far a path fits a pattern: which of its alternatives, and how many of its segments are used up. */
export interface Place {
  readonly alternative: number
  readonly segments: number
}

/** What a name in a folder means to a pattern. */
export interface Step {
  /** Whether a file of this name is meant. */
  readonly file: boolean
  /** Where a folder of this name stands in the pattern; empty: nothing below it is meant. */
  readonly places: readonly Place[]
}

/**
 * An absolute path with wild cards, as shells read them: `*`, `?`, `[a-z]`, `[!a]`, `[[:digit:]]`, `{a,b}`, `{1..3}`
 * and `**` for any number of folders; a backslash takes the meaning away. No wild card matches a dot at the
 * begin of a name, and `**` does not follow links, so it never runs in circles.
 */
export class PathPattern {
  readonly text: string
  readonly #alternatives: readonly (readonly Segment[])[]

  /** Throws a `BailiffError` that says what is wrong with the pattern. */
  constructor(text: string) {
    this.text = text
    if (text.length > longestPattern)
      throw new BailiffError('data', `the pattern ${quote(text)} has more than ${longestPattern} characters`)
    if (!text.startsWith('/')) throw new BailiffError('data', `the pattern ${quote(text)} is not an absolute path`)
    this.#alternatives = expandBraces(text, text).map((one) => toSegments(one, text))
  }

  /** The folders at which a search begins, each with its place: the longest ones without a wild card. */
  roots(): Map<string, Place[]> {
    const roots = new Map<string, Place[]>()
    for (const [alternative, segments] of this.#alternatives.entries()) {
      const wild = segments.findIndex((segment) => typeof segment !== 'string')
      const fixed = segments.slice(0, wild < 0 ? segments.length - 1 : wild)
      const root = `/${fixed.join('/')}`
      roots.set(root, [...(roots.get(root) ?? []), { alternative, segments: fixed.length }])
    }
    return roots
  }

  /** What a name means in a folder that stands at these places; `linked` is a link to a folder. */
  step(places: readonly Place[], name: string, linked: boolean): Step {
    let file = false
    const found = new Map<string, Place>()
    for (const place of places) {
      for (const next of this.#next(place, name, linked)) {
        if (next.segments === this.#alternatives[next.alternative]?.length) file = true
        else found.set(`${next.alternative} ${next.segments}`, next)
      }
    }
    return { file, places: [...found.values()] }
  }

  /** The only names that mean something in a folder at these places; null: any may. */
  namesIn(places: readonly Place[]): string[] | null {
    const names = places.map(({ alternative, segments }) => this.#alternatives[alternative]?.[segments])
    return names.every((name) => typeof name === 'string') ? [...new Set(names)] : null
  }

  /** Whether it means this path, whatever stands there. */
  matches(path: string): boolean {
    const names = path.split('/').slice(1)
    let places: readonly Place[] = this.#alternatives.map((_, alternative) => ({ alternative, segments: 0 }))
    for (const name of names.slice(0, -1)) places = this.step(places, name, false).places
    return this.step(places, names.at(-1) ?? '', false).file
  }

  #next({ alternative, segments }: Place, name: string, linked: boolean): Place[] {
    const segment = this.#alternatives[alternative]?.[segments]
    const next = { alternative, segments: segments + 1 }
    if (segment === anyFolders) {
      const here = linked || name.startsWith('.') ? [] : [{ alternative, segments }]
      return [...here, ...this.#next(next, name, linked)]
    }
    if (segment === undefined) return []
    return (typeof segment === 'string' ? segment === name : segment.test(name)) ? [next] : []
  }
}

/** Whether a text has anything that `PathPattern` reads as more than a plain path. */
export function isPattern(text: string): boolean {
  return /[*?[\]{}\\]/.test(text)
}

/** What is not meant: by its name (`*.gz`), or as a path (`/var/log/x/old*`). Throws as `PathPattern` does. */
export function excluding(patterns: readonly string[]): (path: string) => boolean {
  const tests = patterns.map((text) => {
    if (text.includes('/')) {
      const pattern = new PathPattern(text)
      return (path: string) => pattern.matches(path)
    }
    const names = expandBraces(text, text).map((name) => nameTest(name, text, true))
    return (path: string) => names.some((test) => test.test(path.slice(path.lastIndexOf('/') + 1)))
  })
  return (path) => tests.some((test) => test(path))
}

function toSegments(alternative: string, whole: string): Segment[] {
  const names = alternative.split('/').filter((name) => name !== '' && name !== '.')
  if (names.includes('..')) throw new BailiffError('data', `the pattern ${quote(whole)} has "..": write where it leads`)
  if (names.length === 0) throw new BailiffError('data', `the pattern ${quote(whole)} names no file`)
  // Files at any depth: of each folder the files themselves.
  if (names.at(-1) === '**') names.push('*')
  return names
    .filter((name, index) => name !== '**' || names[index - 1] !== '**')
    .map((name) => {
      if (name === '**') return anyFolders
      return isPattern(name) ? nameTest(name, whole, false) : name
    })
}

function nameTest(name: string, whole: string, dot: boolean): NamePattern {
  try {
    return new NamePattern(name, dot)
  } catch {
    throw new BailiffError('data', `the pattern ${quote(whole)} has a bracket without its partner`, {
      hint: 'a backslash before it makes it a part of the name',
    })
  }
}

/** `a{b,c}d` becomes `abd` and `acd`; a brace without comma or range stays as it is. */
function expandBraces(text: string, whole: string): string[] {
  const open = findBrace(text)
  if (open === null) return [text]
  const { start, end, parts } = open
  const head = text.slice(0, start)
  const tails = expandBraces(text.slice(end + 1), whole)
  const all = parts
    .flatMap((part) => expandBraces(part, whole))
    .flatMap((part) => tails.map((tail) => head + part + tail))
  if (all.length > maxAlternatives)
    throw new BailiffError('data', `the pattern ${quote(whole)} stands for more than ${maxAlternatives} others`)
  return all
}

/** The first brace that offers a choice, and its choices. */
function findBrace(text: string): { start: number; end: number; parts: string[] } | null {
  for (let start = 0; start < text.length; start++) {
    if (text[start] === '\\') start++
    else if (text[start] === '{') {
      const found = choices(text, start)
      if (found !== null) return { start, ...found }
    }
  }
  return null
}

function choices(text: string, start: number): { end: number; parts: string[] } | null {
  const parts: string[] = []
  let [depth, from] = [0, start + 1]
  for (let at = start; at < text.length; at++) {
    const letter = text[at]
    if (letter === '\\') at++
    else if (letter === '{') depth++
    else if (letter === ',' && depth === 1) {
      parts.push(text.slice(from, at))
      from = at + 1
    } else if (letter === '}' && --depth === 0) {
      const last = text.slice(from, at)
      if (parts.length > 0) return { end: at, parts: [...parts, last] }
      const numbers = range(last)
      return numbers === null ? null : { end: at, parts: numbers }
    }
  }
  return null
}

function range(text: string): string[] | null {
  const [, first = '', last = ''] = /^(\d{1,6})\.\.(\d{1,6})$/.exec(text) ?? []
  if (first === '') return null
  const [from, to] = [Number(first), Number(last)]
  const width = /^0\d|^0$/.test(first) ? first.length : 0
  const count = Math.min(Math.abs(to - from), maxAlternatives) + 1
  return Array.from({ length: count }, (_, index) => String(from + Math.sign(to - from) * index).padStart(width, '0'))
}
