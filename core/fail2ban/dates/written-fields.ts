/** The fields of a date as numbers, by the rules of Fail2ban and of Python's `int`. */
import { LineFails } from './line-fails.ts'
import { pythonInteger } from './python-numbers.ts'
import { zoneMinutes } from './zone-offsets.ts'

/** The groups of a date's match: names in the order of the pattern, and what each one found. */
export interface DateFields {
  readonly names: readonly string[]
  readonly texts: readonly (string | undefined)[]
}

/** The fields as numbers; null: not written. Months count from 1, days of the week from Monday, 0. */
export interface WrittenFields {
  year: number | null
  month: number | null
  day: number | null
  hour: number
  minute: number
  second: number
  weekday: number | null
  yearDay: number | null
  week: number | null
  weekBeginsOnMonday: boolean
  /** Minutes east of UTC. */
  zone: number | null
}

/** Reads the fields in their order, so that of two with the same meaning the last counts. Null: a text tells no number. */
export function readFields({ names, texts }: DateFields): WrittenFields | null {
  const written: WrittenFields = {
    year: null,
    month: null,
    day: null,
    hour: 0,
    minute: 0,
    second: 0,
    weekday: null,
    yearDay: null,
    week: null,
    weekBeginsOnMonday: false,
    zone: null,
  }
  for (let index = 0; index < names.length; index++) {
    const text = texts[index]
    const name = names[index] ?? ''
    if (text === undefined) continue
    if (name === 'I') {
      const hour = halfDayHour(text, names, texts)
      if (hour === null) return null
      written.hour = hour
    } else if (!readField(written, name, text)) return null
  }
  return written
}

/** The empty name, of a group that somebody wrote so, is a month 0 to Python. */
const monthNames = ' january february march april may june july august september october november december'.split(' ')
const monthStarts = monthNames.map((name) => name.slice(0, 3))
const dayNames = 'monday tuesday wednesday thursday friday saturday sunday'.split(' ')
const dayStarts = dayNames.map((name) => name.slice(0, 3))

/** False: the text tells no number. Fields that say nothing of the time (`_sep`, `f`, `G`, `V`) are passed over. */
function readField(written: WrittenFields, name: string, text: string): boolean {
  switch (name) {
    case 'Y':
      return fill(written, 'year', integer(text))
    case 'y':
      return fill(written, 'year', thisCentury(integer(text)))
    case 'm':
      return fill(written, 'month', integer(text))
    case 'B':
      return fill(written, 'month', place(monthNames, text))
    case 'b':
      return fill(written, 'month', place(monthStarts, text))
    case 'd':
      return fill(written, 'day', integer(text))
    case 'H':
      return fill(written, 'hour', integer(text))
    case 'M':
      return fill(written, 'minute', integer(text))
    case 'S':
      return fill(written, 'second', integer(text))
    case 'A':
      return fill(written, 'weekday', place(dayNames, text))
    case 'a':
      return fill(written, 'weekday', place(dayStarts, text))
    case 'w':
      return fill(written, 'weekday', sundayFirst(integer(text)))
    case 'j':
      return fill(written, 'yearDay', integer(text))
    case 'U':
    case 'W':
      written.weekBeginsOnMonday = name === 'W'
      return fill(written, 'week', integer(text))
    case 'z':
    case 'Z':
      return fill(written, 'zone', zoneMinutes(text))
    default:
      return true
  }
}

function fill(written: WrittenFields, field: NumberField, value: number | null): boolean {
  if (value === null) return false
  written[field] = value
  return true
}

type NumberField = Exclude<keyof WrittenFields, 'weekBeginsOnMonday'>

/** The hour of `%I`; `%p` may stand on either side of it. Without one it is before noon. */
function halfDayHour(text: string, names: DateFields['names'], texts: DateFields['texts']): number | null {
  const hour = integer(text)
  if (hour === null) return null
  const at = names.indexOf('p')
  const half = at < 0 ? '' : texts[at]?.toLowerCase()
  if (half === undefined) throw new LineFails('half of the day that is left out')
  if (half === '' || half === 'am') return hour === 12 ? 0 : hour
  return half === 'pm' && hour !== 12 ? hour + 12 : hour
}

/** `int(text)`. Up to four ASCII digits, which is nearly all, are read here. */
function integer(text: string): number | null {
  if (text.length === 0 || text.length > 4) return pythonInteger(text)
  let number = 0
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - zero
    if (digit < 0 || digit > 9) return pythonInteger(text)
    number = number * 10 + digit
  }
  return number
}

const zero = 0x30

function thisCentury(year: number | null): number | null {
  return year !== null && year <= 2000 ? year + 2000 : year
}

function sundayFirst(day: number | null): number | null {
  return day === null ? null : day < 1 ? 6 : day - 1
}

function place(names: readonly string[], text: string): number | null {
  const index = names.indexOf(text.toLowerCase())
  return index < 0 ? null : index
}
