/**
 * Compiles date patterns: regular expressions in Python's syntax with tokens for the parts of a date, as
 * Fail2ban's `datepattern` (jail.conf(5)).
 *
 * - Unless a pattern is anchored, ends in `$`, `\b` or `\s`, or says otherwise (`**` at an end, `{UNB}`
 *   before it), it begins and ends where words do.
 * - `{^LN-BEG}` before it: at the begin of the line, where up to two characters that are none of a word may
 *   precede it.
 * - What is cut out of the line is its first group; without a group all that it matches.
 * - `EPOCH`, `LEPOCH` and `TAI64N`, alone or behind `^` or `{^LN-BEG}`: the seconds since 1970, those or
 *   milli- or microseconds, the label of daemontools. In braces `{EPOCH}` and `{LEPOCH}` stand inside a pattern.
 * - `{DATE}` inside a pattern stands for each of the usual forms; `{DEFAULT}`, and `{^LN-BEG}` alone, for
 *   what is read where no pattern is given; `{NONE}`: lines have no date.
 */
import type { DatePattern, DateReading } from '../plugin.ts'
import { dateToken, tokenNames } from './date-tokens.ts'
import { compilePattern } from './filters.ts'
import { PatternError, type PatternPlace } from './pattern-error.ts'
import { usualDatePatterns } from './usual-date-patterns.ts'

/**
 * What lines are read by, or null where nothing is said. Each text may hold several patterns, one a line; per
 * cent signs may be doubled as in Fail2ban's files. Throws a PatternError whose index is that of the text.
 */
export function compileDates(
  texts: readonly string[] | null,
  timezone: string | null,
  year: number,
): DateReading | null {
  if (texts === null && timezone === null) return null
  const patterns = texts?.flatMap((text, index) =>
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .flatMap((line) => compileDatePattern(undoubled(line), { list: 'datepattern', index }, year)),
  )
  return { patterns: patterns ?? null, timezone }
}

/**
 * The patterns that one text stands for; none for `{NONE}`. Throws a PatternError that names the place of
 * what is wrong. `year`: the current one.
 */
export function compileDatePattern(text: string, place: PatternPlace, year: number): DatePattern[] {
  const written = text.trim()
  const word = written.includes('%') ? written : written.toUpperCase()
  if (word === '{NONE}') return []
  if (/^(?:\{\^LN-BEG\})?(?:\{DEFAULT\})?$/.test(word) && word !== '') return [{ type: 'default', text: written }]
  const [, begin = '', fixed] = /^(\{\^LN-BEG\}|\^)?(EPOCH|LEPOCH|TAI64N)$/.exec(word) ?? []
  const source = fixed === undefined ? written : fixedPattern(fixed, begin !== '')
  const braced = /(?<!\\)\{DATE\}/i.exec(source)
  if (braced === null)
    return [compileOne(source, { text: written, place, year, origin: fixed === undefined ? asWritten : () => 0 })]
  const [before, behind] = [source.slice(0, braced.index), source.slice(braced.index + braced[0].length)]
  return usualDatePatterns.map((usual) => {
    const origin = (offset: number) =>
      offset < before.length + usual.length ? Math.min(offset, before.length) : offset - usual.length + braced[0].length
    return compileOne(`${before}${usual}${behind}`, { text: written, place, year, origin })
  })
}

/** What a person wrote, for messages. */
interface Written {
  readonly text: string
  readonly place: PatternPlace
  /** The current one. */
  readonly year: number
  /** The offset into the text for one into the source that was made of it. */
  origin(offset: number): number
}

const asWritten = (offset: number) => offset

/** What a word stands for that is a pattern of its own. */
function fixedPattern(word: string, atBegin: boolean): string {
  if (word === 'TAI64N') return `${atBegin ? '{^LN-BEG}' : '**'}@(?P<tai64n>[0-9a-f]{24})**`
  // Elsewhere a number of ten digits may be anything: in brackets it counts, and in the records of the kernel's audit.
  const places = '(?:^|(?<=^\\[)(?=[\\d.]+\\])|(?<=\\baudit\\()(?=[\\d.]+:\\d+\\)))'
  return atBegin ? `{^LN-BEG}{${word}}` : `{UNB}${places}{${word}}(?=\\b|\\W|$)`
}

const epoch = '\\d{10,11}\\b(?:\\.\\d{3,6})?'
const longEpoch = '\\d{10,11}(?:\\d{3}(?:\\.\\d{1,6}|\\d{3})?)?'

function compileOne(source: string, written: Written): DatePattern {
  const { body, begin } = strip(source)
  const expansion = expand(body, source.length - body.length, written)
  // Who names the seconds cuts out all that stands around them.
  const grouped = hasGroup(body) && !/\{L?EPOCH\}/i.test(body)
  const [, stars = '', anchor = '', inner = '', tail = ''] =
    /^((?:\*\*)?)(\^?)(.*?)((?<!\\)\$?)(?:\*\*)?$/s.exec(expansion.text) ?? []
  const [before, behind] = bounds(body, begin)
  const head = `${expansion.letters ? '(?i)' : ''}${before}${anchor}${grouped ? '' : opening}`
  const first = grouped ? inner.search(/(?<!\\)\((?:(?!\?)|\?P<)/) : -1
  const named =
    first >= 0 && inner[first + 1] !== '?' ? `${inner.slice(0, first)}${opening}${inner.slice(first + 1)}` : inner
  try {
    const { ascii, unicode, flags, groups } = compilePattern(
      `${head}${named}${grouped ? '' : ')'}${tail}${behind}`,
      written.place,
    )
    const cut = groups.includes('cut') ? groups.indexOf('cut') : groups.findIndex((tag) => tag !== null)
    return {
      type: 'pattern',
      text: written.text,
      ascii,
      unicode,
      flags: grouped ? `${flags}d` : flags,
      groups,
      cut: cut + 1,
    }
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    const inside = error.position - head.length
    const unnamed = named !== inner && inside > first ? inside - opening.length + 1 : inside
    const at = expansion.origin(Math.max(0, stars.length + anchor.length + unnamed))
    throw new PatternError(written.place, written.text, Math.min(at, written.text.length), error.reason, error.hint)
  }
}

/** The group of what is cut out has a name, since groups without one are left out where they are not needed. */
const opening = '(?P<cut>'

/** What says where the date begins is taken off: `{UNB}` and `{^LN-BEG}`. */
function strip(source: string): { readonly body: string; readonly begin: 'anywhere' | 'line' | 'word' } {
  if (source.startsWith('{UNB}')) return { body: source.slice(5), begin: 'anywhere' }
  if (source.startsWith('{^LN-BEG}')) return { body: source.slice(9), begin: 'line' }
  return { body: source, begin: 'word' }
}

/** What is put before and behind the pattern. */
function bounds(body: string, begin: 'anywhere' | 'line' | 'word'): readonly [before: string, behind: string] {
  if (begin === 'anywhere') return ['', '']
  const opensItself = /^\(*(?:\^|\*\*|\((?:\?:)?\^)/.test(body)
  const before = opensItself ? '' : begin === 'line' ? '^(?:\\W{0,2})' : '(?:^|\\b|(?=\\W))'
  return [before, /(?<!\\)(?:\$\)?|\\b|\\s|\*\*\)*)$/.test(body) ? '' : '(?=\\b|\\W|$)']
}

/** Whether the person wrote a group that captures, which then says what is cut out. */
function hasGroup(body: string): boolean {
  return /(?<!\\)\((?!\?)/.test(body)
}

interface Expansion {
  readonly text: string
  /** Whether a token holds letters. */
  readonly letters: boolean
  /** The offset into what was written for one into the text. */
  origin(offset: number): number
}

/** Puts groups in the place of tokens. `skipped`: characters of the source that lie before the body. */
function expand(body: string, skipped: number, { text: given, place, year, origin }: Written): Expansion {
  const pieces: { readonly at: number; readonly from: number; readonly verbatim: boolean }[] = []
  let text = ''
  let letters = false
  const fail = (at: number, reason: string, hint: string): never => {
    throw new PatternError(place, given, Math.min(origin(at + skipped), given.length), reason, hint)
  }
  for (const piece of body.matchAll(/%(?:(Ex[A-Za-z]|[A-Za-z])|(%)|)|(?<!\\)\{(L?EPOCH|l?epoch)\}|[^%{]+|\{/g)) {
    const [all, name, percent, seconds] = piece
    pieces.push({
      at: text.length,
      from: piece.index + skipped,
      verbatim: !all.startsWith('%') && seconds === undefined,
    })
    if (percent !== undefined) text += '%'
    else if (seconds !== undefined) text += `(?P<seconds>${seconds.length > 5 ? longEpoch : epoch})`
    else if (all.startsWith('%')) {
      const token = name === undefined ? undefined : (dateToken(name, year) ?? dateToken(name.slice(0, 1), year))
      if (token === undefined)
        fail(piece.index, `${all} is no token of a date`, `there are %${tokenNames.join(' %')}; %% is a per cent sign`)
      else {
        letters ||= token.letters === true
        text += `${token.before ?? ''}(?P<${token.part}>${token.pattern})${dateToken(name ?? '', year) ? '' : (name ?? '').slice(1)}`
      }
    } else text += all
  }
  // A back-reference ignores no case in our language; what separates the parts of a date has none.
  if (letters) text = text.replaceAll(/\(\?P=(\w+)\)/g, '(?-i:(?P=$1))')
  return {
    text,
    letters,
    origin: (offset) => {
      const piece = pieces.findLast(({ at }) => at <= offset)
      return origin(piece === undefined ? skipped : piece.from + (piece.verbatim ? offset - piece.at : 0))
    },
  }
}

/** What was copied from a file of Fail2ban, where every per cent sign is doubled. */
function undoubled(text: string): string {
  const single = text.replaceAll('%%', '')
  return text.includes('%%') && !single.includes('%') ? text.replaceAll('%%', '%') : text
}
