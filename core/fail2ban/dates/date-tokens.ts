/**
 * The `%` tokens of a datepattern: what each one finds, as an expression of Python, and the word that Fail2ban
 * prints for it. Those of the running program (its manual has a part of them), in the locale C that it runs in, and to
 * the character, for it prints the expressions, too, and a user's pattern may well put a token into a class.
 */

/** What a token finds, and how a template's name spells it. */
export interface DateToken {
  readonly expression: string
  readonly word: string
}

/** A token that is none: where it stands, and what was found there. */
export class UnknownToken extends Error {
  readonly position: number

  constructor(position: number, token: string) {
    super(`${token} is no token of a date`)
    this.position = position
  }
}

/**
 * The tokens by what stands behind the `%`. `%ExY` finds the years of the decades from the year 2000 up to three
 * years after `year`, the one in which the program was started.
 */
export function dateTokens(year: number): ReadonlyMap<string, DateToken> {
  return new Map([
    ...Object.entries(fields).map(([key, [group, found, word]]): [string, DateToken] => [
      key,
      { expression: field(group, found), word },
    ]),
    ...Object.entries(composed).map(([key, expression]): [string, DateToken] => [key, { expression, word: `%${key}` }]),
    ['k', { expression: ` ?${field('H', '[0-2]?\\d')}`, word: '%k' }],
    ['l', { expression: ` ?${field('I', '1?\\d')}`, word: '%l' }],
    ['Exk', { expression: ` ?${field('H', '[0-1]?\\d|2[0-3]')}`, word: '%Exk' }],
    ['Exl', { expression: ` ?${field('I', '1[0-2]|\\d')}`, word: '%Exl' }],
    ['ExY', { expression: field('Y', `${decades(year)}\\d`), word: 'ExYear' }],
    ['%', { expression: '%', word: '%' }],
  ])
}

/**
 * Replaces the tokens of a pattern by what `write` gives for each. Throws an `UnknownToken` where a `%` stands
 * before something else.
 */
export function replaceTokens(
  pattern: string,
  tokens: ReadonlyMap<string, DateToken>,
  write: (token: DateToken) => string,
): string {
  return pattern.replace(/%(?:\((\w+|%)\)s|(Ex[A-Za-z]|[\s\S]?))/g, (text, named: string | undefined, plain, at) => {
    const key = named ?? String(plain)
    const token = tokens.get(key) ?? null
    if (token === null) throw new UnknownToken(Number(at), key === '' ? '% at the end' : text)
    return write(token)
  })
}

/** Month names and days as Python knows them in the locale C, in the order in which it tries them: the longest first. */
const dayNames = 'wednesday|thursday|saturday|tuesday|monday|friday|sunday'
const monthNames = 'september|february|november|december|january|october|august|march|april|june|july|may'
const days = 'mon|tue|wed|thu|fri|sat|sun'
const months = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec'
const weekNumber = '5[0-3]|[0-4]\\d|\\d'
const zoneName = '[A-Z](?:[A-Z]{2,4})?'
const zoneOffset = '[+-][01]\\d(?::?\\d{2})?'

/** Token: the group that it fills, what that finds, the word. */
const fields: Readonly<Record<string, readonly [group: string, found: string, word: string]>> = {
  a: ['a', days, 'DAY'],
  A: ['A', dayNames, 'DAYNAME'],
  b: ['b', months, 'MON'],
  B: ['B', monthNames, 'MONTH'],
  d: ['d', '[1-2]\\d|[0 ]?[1-9]|3[0-1]', 'Day'],
  f: ['f', '[0-9]{1,6}', 'Microseconds'],
  G: ['G', '\\d\\d\\d\\d', '%G'],
  H: ['H', '[0-1]?\\d|2[0-3]', '24hour'],
  I: ['I', '1[0-2]|0[1-9]|[1-9]', '12hour'],
  j: ['j', '36[0-6]|3[0-5]\\d|[1-2]\\d\\d|0[1-9]\\d|00[1-9]|[1-9]\\d|0[1-9]|[1-9]', 'Yearday'],
  m: ['m', '0?[1-9]|1[0-2]', 'Month'],
  M: ['M', '[0-5]?\\d', 'Minute'],
  p: ['p', 'am|pm', 'AMPM'],
  S: ['S', '[0-5]?\\d|6[0-1]', 'Second'],
  u: ['u', '[1-7]', '%u'],
  U: ['U', weekNumber, 'Yearweek'],
  V: ['V', '5[0-3]|0[1-9]|[1-4]\\d|\\d', '%V'],
  w: ['w', '[0-6]', 'Weekday'],
  W: ['W', weekNumber, 'Yearweek'],
  y: ['y', '\\d\\d', 'Year2'],
  Y: ['Y', '\\d{4}', 'Year'],
  z: ['z', `Z|UTC|GMT|${zoneOffset}`, 'Zone offset'],
  Z: ['Z', 'Z|[A-Z]{3,5}', 'Zone name'],
  Exd: ['d', '[1-2]\\d|0[1-9]|3[0-1]', 'ExDay'],
  Exm: ['m', '0[1-9]|1[0-2]', 'ExMonth'],
  ExH: ['H', '[0-1]\\d|2[0-3]', 'Ex24hour'],
  ExM: ['M', '[0-5]\\d', 'ExMinute'],
  ExS: ['S', '[0-5]\\d|6[0-1]', 'ExSecond'],
  Exy: ['y', '\\d{2}', 'ExYear2'],
  Exz: ['z', `(?:${zoneName})?${zoneOffset}|${zoneName}`, 'ExZone offset'],
  ExZ: ['Z', zoneName, 'ExZone name'],
}

/** The day, the clock and the month as Python's own `strptime` has them, of which these tokens are made there. */
const plainDay = field('d', '3[0-1]|[1-2]\\d|0[1-9]|[1-9]| [1-9]')
const plainClock = `${field('H', '2[0-3]|[0-1]\\d|\\d')}:${field('M', '[0-5]\\d|\\d')}:${field('S', '6[0-1]|[0-5]\\d|\\d')}`
const composed: Readonly<Record<string, string>> = {
  c: `${field('a', days)}\\s+${field('b', months)}\\s+${plainDay}\\s+${plainClock}\\s+${field('Y', '\\d\\d\\d\\d')}`,
  x: `${field('m', '1[0-2]|0[1-9]|[1-9]')}/${plainDay}/${field('y', '\\d\\d')}`,
  X: plainClock,
}

function field(group: string, found: string): string {
  return `(?P<${group}>${found})`
}

/** The first three digits of the years from 2000 up to three years after this one. */
function decades(year: number): string {
  const last = Math.floor((Math.max(year, 2000) + 3) / 10)
  const starts = Array.from({ length: last - 199 }, (_, index) => String(200 + index))
  if (last < 210) return starts.length === 1 ? '200' : `20[${starts.map((start) => start.slice(2)).join('')}]`
  return `2(?:${starts.map((start) => start.slice(1)).join('|')})`
}
