/** Unix milliseconds of a time in UTC, in the Gregorian calendar; months and days count from 1. NaN for none. */
export function unixMs(year: i64, month: i64, day: i64, hour: i64 = 0, minute: i64 = 0, second: i64 = 0): f64 {
  if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return NaN
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return NaN
  // Days since 1970, years beginning with March so that the odd day is the last one.
  const y = month > 2 ? year : year - 1
  const m = month > 2 ? month - 3 : month + 9
  const days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468
  return <f64>(((days * 24 + hour) * 60 + minute) * 60 + second) * 1000
}
