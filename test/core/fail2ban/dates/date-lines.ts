/** Made-up lines with dates in all forms, right ones and broken ones, from a seed. */

/** Numbers and choices that a seed decides (mulberry32). */
export class Choices {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 up to, and without, `count`. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * count)
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }

  /** True once in `count` times. */
  once(count: number): boolean {
    return this.below(count) === 0
  }
}

/** A moment as clocks show it. */
interface Shown {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const fullMonths = 'January February March April May June July August September October November December'.split(' ')
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const fullDays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const zones = ['Z', 'UTC', 'GMT', '+0000', '+01:00', '-0530', '-08', '+1400', '+02', '+0960', '-00:01']
const zoneNames = [
  'CET',
  'CEST',
  'PDT',
  'Z',
  'UTC',
  'GMT',
  'NPT',
  'AFT',
  'XYZ',
  'EST',
  'ACDT',
  'MART',
  'a',
  'error',
  'PT',
  'ABCDE',
]

/** What a token of a datepattern may stand for; most are right. */
export function tokenText(token: string, shown: Shown, choices: Choices): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const loose = (number: number) => (choices.once(3) ? String(number) : two(number))
  const padded = (number: number) => choices.of([two(number), String(number), String(number).padStart(2, ' ')])
  const { year, month, day, hour, minute, second } = shown
  const texts: Readonly<Record<string, () => string>> = {
    a: () => choices.of(days),
    A: () => choices.of(fullDays),
    b: () => months[month - 1] ?? 'Foo',
    B: () => fullMonths[month - 1] ?? 'Foo',
    c: () => `${choices.of(days)} ${months[month - 1] ?? ''} ${day} ${two(hour)}:${two(minute)}:${two(second)} ${year}`,
    d: () => padded(day),
    f: () => String(choices.below(1_000_000)),
    G: () => String(year),
    H: () => loose(hour),
    I: () => loose(hour % 12 === 0 ? 12 : hour % 12),
    j: () => choices.of([String(1 + choices.below(366)), String(1 + choices.below(366)).padStart(3, '0')]),
    k: () => padded(hour),
    l: () => padded(hour % 12 === 0 ? 12 : hour % 12),
    m: () => loose(month),
    M: () => loose(minute),
    p: () => choices.of(['AM', 'PM', 'am', 'pm']),
    S: () => loose(choices.once(50) ? 60 + choices.below(2) : second),
    u: () => String(1 + choices.below(7)),
    U: () => String(choices.below(54)),
    V: () => String(1 + choices.below(53)),
    w: () => String(choices.below(7)),
    W: () => two(choices.below(54)),
    x: () => `${two(month)}/${two(day)}/${two(year % 100)}`,
    X: () => `${two(hour)}:${two(minute)}:${two(second)}`,
    y: () => two(year % 100),
    Y: () => String(year).padStart(4, '0'),
    z: () => choices.of(zones),
    Z: () => choices.of(zoneNames),
    '%': () => '%',
  }
  const kind = token.startsWith('Ex') ? token.slice(2) : token
  return (texts[kind] ?? (() => ''))()
}

/** A moment near `now` (unix seconds) mostly; else far from it, at the turn of a year or of clocks, on a leap day. */
export function someMoment(now: number, choices: Choices): Shown {
  const near = choices.of([60, 3600, 86_400, 86_400 * 3, 86_400 * 200, 86_400 * 2000])
  const { year, ...rest } = shownAt(now + choices.below(near * 2) - near)
  const clock = { hour: rest.hour, minute: rest.minute, second: rest.second }
  if (choices.once(12)) return { year, month: 2, day: 29, ...clock }
  if (choices.once(12))
    return {
      year,
      month: choices.of([3, 10, 11]),
      day: choices.of([1, 8, 25, 26, 29, 31]),
      ...clock,
      hour: choices.below(4),
    }
  if (choices.once(20)) return { year: choices.of([1, 1969, 1970, 1999, 2000, 2001, 2038, 2099, 9999, 0]), ...rest }
  if (choices.once(20)) return { year, month: choices.of([4, 12, 13]), day: choices.of([0, 31, 32]), ...clock }
  return { year, ...rest }
}

function shownAt(time: number): Shown {
  const date = new Date(time * 1000)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  }
}

/** The usual forms; `{…}` is left out one time in two, `$` is seconds since 1970, `@` a label of TAI64N. */
export const usualForms: readonly string[] = [
  '%Y-%m-%dT%H:%M:%S{.%f}{%z}',
  '%Y-%m-%d %H:%M:%S{,%f}{ %z}',
  '%Y/%m/%d  %k:%M:%S',
  '%Y.%m.%d %H:%M:%S',
  '{%a }%b %d %H:%M:%S{.%f}{ %Y}',
  '{%a }%b %d %Y %k:%M:%S',
  '%d/%m/%Y %H:%M:%S',
  '%d-%m-%y %k:%M:%S',
  '%d/%b/%Y:%H:%M:%S{ %z}',
  '%d-%b-%Y %H:%M:%S{.%f}',
  '%m/%d/%Y:%H:%M:%S',
  '%m-%d-%Y %H:%M:%S{.%f}',
  '$',
  '[$]',
  '$.%f',
  'audit($:%j)',
  '%H:%M:%S',
  '<%m/%d/%y@%H:%M:%S>',
  '%Exy%Exm%Exd %H:%M:%S',
  '%b %d, %Y %I:%M:%S %p',
  '%b-%d-%y %H:%M:%S',
  '%ExY%Exm%ExdT%ExH%ExM%ExS{.%f}{%z}',
  '%ExY%Exm%Exd %ExH%ExM%ExS',
  '%Z {%a }%b %d %H:%M:%S{ %Y}',
  '%z {%a }%b %d %H:%M:%S',
  '@',
]
const fronts = [
  '',
  '',
  '',
  '',
  '[',
  '<',
  '(',
  ' ',
  '- ',
  '  ',
  '   ',
  'x ',
  'host ',
  '192.0.2.7 - - [',
  'a=',
  '\t',
  'é ',
  '😀 ',
  '😀😀',
  '№',
  '1',
  '_',
]
const backs = ['', ' ', '] ', '> ', ': ', ') ', ',1 ', '.5', 'Z', 'x', '0', '_', ' é', '😀', '\t', '\n']
const messages = [
  'sshd[77]: Failed password for root from 192.0.2.7 port 4711',
  '"GET / HTTP/1.1" 401',
  'error 404',
  'a',
  '',
]
const noise = [
  '0',
  '1',
  '9',
  ' ',
  ':',
  '-',
  '/',
  '.',
  ',',
  'T',
  'Z',
  'a',
  'é',
  '😀',
  '٣',
  '[',
  ']',
  '(',
  '\u00a0',
  'ſ',
  'K',
  '',
]

/** A line with a date of that form in it, or with two, perhaps broken. */
export function lineOf(form: string, now: number, choices: Choices): string {
  const date = () => dateOf(form, now, choices)
  const front = choices.of(fronts)
  let line = `${front}${date()}${choices.of(backs)}${choices.of(messages)}`
  if (choices.once(6)) line += ` ${dateOf(choices.of(usualForms), now, choices)}${choices.of(backs)}`
  if (choices.once(10)) line = `${dateOf(choices.of(usualForms), now, choices)} ${line}`
  if (choices.once(4)) line = broken(line, choices)
  if (choices.once(15)) line = choices.of([line.toLowerCase(), line.toUpperCase()])
  return line
}

/** A text of such a form: tokens, and what usual forms have beside them. */
export function dateOf(form: string, now: number, choices: Choices): string {
  const shown = someMoment(now, choices)
  return form
    .replace(/\{([^{}]*)\}/g, (_, optional: string) => (choices.once(2) ? optional : ''))
    .replace(/%(Ex[A-Za-z]|.)|\$|@(?!%)/g, (text, token: string | undefined) => {
      if (token !== undefined) return tokenText(token, shown, choices)
      if (text === '$') return String(Math.floor(now) + choices.below(100_000) - 50_000)
      return `@4000000${(Math.floor(now) + choices.below(1000)).toString(16).padStart(9, '0')}1f2ef02e`
    })
}

function broken(line: string, choices: Choices): string {
  const characters = [...line]
  const at = choices.below(characters.length + 1)
  characters.splice(at, choices.below(3), choices.of(noise))
  return characters.join('')
}

const tokens =
  'a A b B c d f G H I j k l m M p S u U V w W x X y Y z Z % Exd Exm ExH Exk Exl ExM ExS ExY Exy Exz ExZ'.split(' ')
const dateParts = [
  '%Y-%m-%d',
  '%d/%b/%Y',
  '%b %d',
  '%a %b %d',
  '%ExY%Exm%Exd',
  '%y%m%d',
  '%d.%m.%Y',
  '%Y %j',
  '%m/%d',
  '%Y %W %a',
  '%Y U%U %w',
  '%B %d %Y',
  '',
  '%x',
  '%d',
  '%b',
  '%A, %d %B %y',
]
const clockParts = [
  '%H:%M:%S',
  '%k:%M',
  '%I:%M:%S %p',
  '%l:%M%p',
  '%H%M%S',
  '%ExH%ExM%ExS',
  '',
  '%X',
  '%H:%M:%S.%f',
  '(?:%I:%M )?%p',
  '%I:%M(?: %p)?',
]
const zoneParts = ['', '', ' %z', ' %Z', '%Exz', ' %ExZ', '(?: %z)?', '(?:%Z )?', '\\s*%z']
const between = [' ', 'T', ':', '@', '  ?', '[ T]', '', '\\s+', ', ']
const odd = [
  '{UNB}',
  '{^LN-BEG}',
  '^',
  '**',
  '(?i)',
  '^\\[',
  '\\[',
  '(^',
  '(?:^',
  '\\s',
  '\\b',
  '^\\s*',
  ' ',
  '((',
  '(?:^|\\b|\\W)',
]
const oddEnds = ['$', '\\b', '\\s', '**', '\\]', '$)', '(?=\\b|\\W|$)', '**)', ' ', '.*$', '\\**', '\\$']
const special = [
  '{DEFAULT}',
  '{^LN-BEG}',
  '{DATE}',
  'x {DATE}',
  '^\\[{DATE}\\]',
  '^{DATE} ',
  '{date}',
  '[{DATE}]',
  '{NONE}',
  '{none}',
  'EPOCH',
  'epoch',
  '^EPOCH',
  '{^LN-BEG}EPOCH',
  'LEPOCH',
  '^LEPOCH',
  'TAI64N',
  '^TAI64N',
  '{^LN-BEG}TAI64N',
  '{EPOCH}',
  '\\[{EPOCH}\\]',
  'time=(\\w+) {LEPOCH}',
  '(x {EPOCH})',
  '\\[({EPOCH})\\]',
  '{EPOCH} (\\w+)',
  '(?P<Y>\\w+) at {LEPOCH}',
  '{^LN-BEG}{LEPOCH}',
  '^{LEPOCH}',
  'a%Yb{EPOCH}',
  '%Y{epoch}',
  'tai {DATE}$',
  '**{DATE}**',
  'at {EPOCH}$',
]

/** A `datepattern` line: a usual mix of tokens mostly, sometimes an odd one, and a form of dates that may fit it. */
export function somePattern(choices: Choices): { readonly pattern: string; readonly form: string } {
  if (choices.once(8)) {
    const pattern = choices.of(special)
    return { pattern, form: choices.of(usualForms) }
  }
  if (choices.once(6)) {
    const chosen = Array.from({ length: 1 + choices.below(6) }, () => `%${choices.of(tokens)}`)
    const pattern = chosen.join(choices.of(['', ' ', '-', ':', '.']))
    return { pattern, form: pattern }
  }
  const [date, clock, zone, space] = [
    choices.of(dateParts),
    choices.of(clockParts),
    choices.of(zoneParts),
    choices.of(between),
  ]
  const [front, back] = choices.once(5) ? [zone, ''] : ['', zone]
  const written = choices.once(4) ? [clock, date] : [date, clock]
  let pattern = `${front}${written.join(space)}${back}`
  const form = pattern.replaceAll(/\(\?:([^()]*)\)\?/g, '{$1}').replaceAll(/\\s[+*]|\[ T\]|  \?/g, ' ')
  if (choices.once(8)) pattern = `x${pattern}`
  if (choices.once(5)) pattern = `(${pattern})${choices.of(['', ' x', '\\]', '?'])}`
  if (choices.once(6)) pattern = `\\[?(${written[0] ?? ''})${space}(${written[1] ?? ''})`
  if (choices.once(3)) pattern = choices.of(odd) + pattern
  if (choices.once(4)) pattern += choices.of(oddEnds)
  if (choices.once(30)) pattern = pattern.replace('%', '%%')
  if (choices.once(30)) pattern += choices.of(['%', '%e', '%Q', '%(Y)s', '%(zz)s', '%-d', '% d', '%E', '%Exq'])
  if (choices.once(40)) pattern = pattern.replace('%Y', '(?P<Y>[\\d_ +-]+)')
  if (choices.once(40)) pattern = pattern.replace('%m', '(?P<b>\\w*)')
  return { pattern, form }
}
