/**
 * The tokens of date patterns, as Fail2ban's manual (jail.conf(5), fail2ban-regex(1)) and Python's
 * strptime name them: what each matches, and which part of a date it tells. The table says nothing of how
 * a pattern is put together (`date-pattern.ts`) or which of several is taken (`pattern-dates.ts`).
 */

/** The parts of a date, each by the name of the group that captures it. */
const parts = [
  'year',
  'shortyear',
  'month',
  'monthname',
  'day',
  'hour',
  'halfhour',
  'half',
  'minute',
  'second',
  'fraction',
  'yearday',
  'sundayweek',
  'mondayweek',
  'weekday',
  'isoweekday',
  'dayname',
  'zone',
  'seconds',
  'tai64n',
] as const

export type DatePart = (typeof parts)[number]

/** Whether a group of this name captures a part of a date. */
export function isDatePart(name: string | null): name is DatePart {
  return parts.some((part) => part === name)
}

/** A token without its per cent sign. */
export interface DateToken {
  readonly part: DatePart
  /** In Python's syntax, without a group that captures. */
  readonly pattern: string
  /** Before what is captured. */
  readonly before?: string
  /** Whether it holds letters, so that the whole pattern ignores case. */
  readonly letters?: boolean
}

/** English months and days of the week, in full; three letters are the short form. */
export const monthNames = 'January February March April May June July August September October November December'.split(
  ' ',
)
export const dayNames = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ')

const short = (names: readonly string[]) => names.map((name) => name.slice(0, 3)).join('|')
const full = (names: readonly string[]) => names.toSorted((a, b) => b.length - a.length).join('|')

const abbreviation = '[A-Z](?:[A-Z]{2,4})?'
const offset = '[+-][01]\\d(?::?\\d\\d)?'
const strictDay = '0[1-9]|[12]\\d|3[01]'
const strictHour = '[01]\\d|2[0-3]'
const looseHour = '2[0-3]|[01]?\\d'

/** Tokens by their name. Those that begin with `Ex` take no number without its zero. */
const fixed: Readonly<Record<string, DateToken>> = {
  Y: { part: 'year', pattern: '\\d{4}' },
  y: { part: 'shortyear', pattern: '\\d\\d' },
  m: { part: 'month', pattern: '1[0-2]|0?[1-9]' },
  b: { part: 'monthname', pattern: short(monthNames), letters: true },
  B: { part: 'monthname', pattern: full(monthNames), letters: true },
  d: { part: 'day', pattern: '3[01]|[12]\\d|[0 ]?[1-9]' },
  H: { part: 'hour', pattern: looseHour },
  k: { part: 'hour', pattern: looseHour, before: ' ?' },
  I: { part: 'halfhour', pattern: '1[0-2]|0?[1-9]' },
  l: { part: 'halfhour', pattern: '1[0-2]|\\d', before: ' ?' },
  p: { part: 'half', pattern: 'am|pm', letters: true },
  M: { part: 'minute', pattern: '[0-5]?\\d' },
  S: { part: 'second', pattern: '6[01]|[0-5]?\\d' },
  f: { part: 'fraction', pattern: '\\d{1,6}' },
  j: { part: 'yearday', pattern: '36[0-6]|3[0-5]\\d|[12]\\d\\d|0[1-9]\\d|00[1-9]|[1-9]\\d|0[1-9]|[1-9]' },
  U: { part: 'sundayweek', pattern: '5[0-3]|[0-4]\\d|\\d' },
  W: { part: 'mondayweek', pattern: '5[0-3]|[0-4]\\d|\\d' },
  w: { part: 'weekday', pattern: '[0-6]' },
  u: { part: 'isoweekday', pattern: '[1-7]' },
  a: { part: 'dayname', pattern: short(dayNames), letters: true },
  A: { part: 'dayname', pattern: full(dayNames), letters: true },
  z: { part: 'zone', pattern: `Z|UTC|GMT|${offset}` },
  Z: { part: 'zone', pattern: 'Z|[A-Z]{3,5}' },
  Exy: { part: 'shortyear', pattern: '\\d\\d' },
  Exm: { part: 'month', pattern: '1[0-2]|0[1-9]' },
  Exd: { part: 'day', pattern: strictDay },
  ExH: { part: 'hour', pattern: strictHour },
  Exk: { part: 'hour', pattern: looseHour, before: ' ?' },
  Exl: { part: 'halfhour', pattern: '1[0-2]|\\d', before: ' ?' },
  ExM: { part: 'minute', pattern: '[0-5]\\d' },
  ExS: { part: 'second', pattern: '6[01]|[0-5]\\d' },
  ExZ: { part: 'zone', pattern: abbreviation },
  Exz: { part: 'zone', pattern: `(?:${abbreviation})?${offset}|${abbreviation}` },
}

/**
 * The token that is called so; undefined where there is none. `%ExY` takes the years from 2000 to the end
 * of the decade that it will be in three years, counted from `year`.
 */
export function dateToken(name: string, year: number): DateToken | undefined {
  if (name === 'ExY') return { part: 'year', pattern: decades(year + 3) }
  return Object.hasOwn(fixed, name) ? fixed[name] : undefined
}

/** The names of all tokens, the longest first. */
export const tokenNames: readonly string[] = ['ExY', ...Object.keys(fixed)].toSorted((a, b) => b.length - a.length)

/** The years from 2000 to the end of the decade of `year`. */
function decades(year: number): string {
  const last = Math.max(200, Math.floor(year / 10))
  return `(?:${Array.from({ length: last - 199 }, (_, index) => 200 + index).join('|')})\\d`
}
