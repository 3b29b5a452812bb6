import { BailiffError, quote, type Where } from '../../errors.ts'
import { ArithmeticError, calculate } from './arithmetic.ts'
import { space, word } from './python-text.ts'

/**
 * Seconds of a time as Fail2ban's configuration writes it: `600`, `10m`, `1d 12h`, `1year-6mo`, `60*60`, in any case.
 * A month is a twelfth of a year, a year 365.25 days. May be negative (for ever) and fractional. Throws a BailiffError.
 */
export function timeText(text: string, where?: Where): number {
  try {
    return Number(calculate(asArithmetic(text)))
  } catch (error) {
    if (!(error instanceof ArithmeticError)) throw error
    throw new BailiffError('config', `${quote(text)} is no time: ${error.message}`, {
      ...(where && { where }),
      hint: 'write seconds, or numbers with units: 600, 10m, 1d 12h, 2w',
    })
  }
}

/** What Fail2ban allows as names of units, and what a number before one is multiplied with. */
const units = new Map(
  Object.entries({
    '1': ['s', 'ss', 'se', 'sec', 'second', 'seconds'],
    '60': ['m', 'mm', 'mi', 'min', 'minute', 'minutes'],
    '3600': ['h', 'hh', 'ho', 'hou', 'hour', 'hours'],
    '86400': ['d', 'dd', 'da', 'day', 'days'],
    '604800': ['w', 'ww', 'we', 'wee', 'week', 'weeks'],
    '2629800.0': ['mo', 'mon', 'month', 'months'],
    '31557600.0': ['y', 'yy', 'ye', 'yea', 'year', 'years'],
  }).flatMap(([seconds, names]) => names.map((name): [string, string] => [name, seconds])),
)

const digitBehindUnit = /(?<=[a-z])(\p{Nd})/giu
const unit = new RegExp(`(?<=[\\p{Nd}${space}])[a-z]+(?![${word}])`, 'giu')
const onlySpaceBetween = new RegExp(`(\\p{Nd})[${space}]+(\\p{Nd})`, 'gu')

/** Units become factors, and where only space stands between numbers they are added: `1h30` is `1*3600+30`. */
function asArithmetic(text: string): string {
  return text
    .replace(digitBehindUnit, ' $1')
    .replace(unit, (name) => {
      const seconds = units.get(name.toLowerCase())
      return seconds === undefined ? name : `*${seconds}`
    })
    .replace(onlySpaceBetween, '$1+$2')
}
