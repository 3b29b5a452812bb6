/** The smallest parts of dates, read by hand. None of these functions allocates or reads behind `end` to any effect. */

export const [tab, blank, quote, dash, point, slash, colon] = [0x09, 0x20, 0x22, 0x2d, 0x2e, 0x2f, 0x3a]
export const [lessThan, greaterThan, opening, closing, brace, atSign] = [0x3c, 0x3e, 0x5b, 0x5d, 0x7b, 0x40]
const [digitZero, digitNine, plus, comma, letterZ] = [0x30, 0x39, 0x2b, 0x2c, 0x5a]

export function isDigit(code: number): boolean {
  return code >= digitZero && code <= digitNine
}

export function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a
}

export function isBlank(code: number): boolean {
  return code === blank || code === tab
}

/** The digit at a place. Where there is none: so far below zero that what is computed from it is, too. */
export function digit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return isDigit(code) ? code - digitZero : -1_000_000_000
}

export function two(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

export function four(text: string, at: number): number {
  return two(text, at) * 100 + two(text, at + 2)
}

/** How many digits stand here. */
export function digitsAt(text: string, at: number, end: number): number {
  let behind = at
  while (behind < end && isDigit(text.charCodeAt(behind))) behind++
  return behind - at
}

/** The number that so many digits make; it is exact up to fifteen of them. */
export function numberAt(text: string, at: number, digits: number): number {
  let value = 0
  for (let place = at; place < at + digits; place++) value = value * 10 + digit(text, place)
  return value
}

/** Whether a letter or digit stands here: then a date that ends here was a piece of something else. */
export function wordAt(text: string, at: number, end: number): boolean {
  if (at >= end) return false
  const code = text.charCodeAt(at)
  return isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a)
}

/** Where the text goes on behind blanks and tabs. */
export function behindBlanks(text: string, at: number, end: number): number {
  let behind = at
  while (behind < end && isBlank(text.charCodeAt(behind))) behind++
  return behind
}

/** The month whose English abbreviation stands here, from 0; -1 for none. */
export function monthAt(text: string, at: number): number {
  const key = (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2)
  switch (key) {
    case 0x4a616e:
      return 0
    case 0x466562:
      return 1
    case 0x4d6172:
      return 2
    case 0x417072:
      return 3
    case 0x4d6179:
      return 4
    case 0x4a756e:
      return 5
    case 0x4a756c:
      return 6
    case 0x417567:
      return 7
    case 0x536570:
      return 8
    case 0x4f6374:
      return 9
    case 0x4e6f76:
      return 10
    case 0x446563:
      return 11
    default:
      return -1
  }
}

/** Whether the English abbreviation of a day of the week stands here. */
export function weekdayAt(text: string, at: number): boolean {
  const place = 'MonTueWedThuFriSatSun'.indexOf(text.slice(at, at + 3))
  return place >= 0 && place % 3 === 0
}

/** Where the fraction of a second ends that stands here: a point or comma and 1 to 9 digits. The same place for none. */
export function fractionEnd(text: string, at: number, end: number): number {
  const sign = at < end ? text.charCodeAt(at) : 0
  if (sign !== point && sign !== comma) return at
  let behind = at + 1
  while (behind < end && behind < at + 10 && isDigit(text.charCodeAt(behind))) behind++
  return behind === at + 1 ? at : behind
}

/** The whole milliseconds of a fraction; 0 for an empty one. */
export function fraction(text: string, at: number, end: number): number {
  let value = 0
  let scale = 100
  for (let place = at + 1; place < end && scale >= 1; place++) {
    value += digit(text, place) * scale
    scale /= 10
  }
  return value
}

/**
 * Where the numeric zone ends that stands right here (`Z`, `+hh:mm`, `+hhmm`, `+hh`); the same place where
 * none does, -1 for a broken one.
 */
export function offsetEnd(text: string, at: number, end: number): number {
  const sign = at < end ? text.charCodeAt(at) : 0
  if (sign === letterZ) return at + 1
  if (sign !== plus && sign !== dash) return at
  if (at + 1 >= end || !isDigit(text.charCodeAt(at + 1))) return at
  const hours = two(text, at + 1)
  if (hours < 0 || hours > 23 || at + 3 > end) return -1
  const withColon = text.charCodeAt(at + 3) === colon
  const minutesAt = withColon ? at + 4 : at + 3
  if (at + 3 === end || !isDigit(text.charCodeAt(minutesAt))) return at + 3
  const minutes = two(text, minutesAt)
  return minutes >= 0 && minutes <= 59 && minutesAt + 2 <= end ? minutesAt + 2 : -1
}

/** Minutes east of UTC of a numeric zone that ends there. */
export function offsetMinutes(text: string, at: number, end: number): number {
  if (end === at + 1) return 0
  const minutes = two(text, at + 1) * 60 + (end - at > 3 ? two(text, end - 2) : 0)
  return text.charCodeAt(at) === dash ? -minutes : minutes
}
