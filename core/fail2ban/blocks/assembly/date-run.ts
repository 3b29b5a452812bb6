/**
 * Dates at the begin of a line as `core/fail2ban/dates/usual-dates.ts` reads them, of one day and zone which that has read
 * just before: only whether they are spelled so is seen here.
 */

/** The day (10 bytes at most), and from the 16th byte on the zone (6 bytes). */
const texts = memory.data(32)
/** The second of the day that `dateLength` has read. */
export let clock: i32 = 0
let isFull = false
let hasZone = false
let earliest = 0
let latest = -1

/** Where the text of the day goes, and 16 bytes behind it that of its zone. */
export function dayTexts(): usize {
  return texts
}

/** Dates are of that day from this second of it up to that. `full`: as `UsualSpelling.isFull`. */
export function tellDay(full: bool, zone: bool, from: i32, to: i32): void {
  isFull = full
  hasZone = zone
  earliest = from
  latest = to
}

/** The length of the date with which a line begins that has a newline; 0: it has another, or none. */
export function dateLength(line: usize): u32 {
  return isFull ? fullLength(line) : shortLength(line)
}

/** `Nov 22 13:41:02`, a blank and a letter. */
function shortLength(line: usize): u32 {
  if (load<u32>(line) != load<u32>(texts) || load<u16>(line, 4) != load<u16>(texts, 4)) return 0
  if (load<u8>(line, 6) != 32 || !isClock(line + 7) || load<u8>(line, 15) != 32) return 0
  return isSmallLetter(load<u8>(line, 16) | 0x20) ? 15 : 0
}

/** `2026-11-22T13:41:02.981000+01:00`, a blank and a small letter; fraction and zone may be missing. */
function fullLength(line: usize): u32 {
  if (load<u64>(line) != load<u64>(texts) || load<u16>(line, 8) != load<u16>(texts, 8)) return 0
  const between = load<u8>(line, 10)
  if ((between != 32 && between != 0x54) || !isClock(line + 11)) return 0
  let at = line + 19
  const dot = load<u8>(at)
  if (dot == 0x2e || dot == 0x2c) {
    for (let digit = 0; digit < 6; digit++) if (!isDigit(load<u8>(++at))) return 0
    at++
  }
  if (hasZone) {
    if (load<u32>(at) != load<u32>(texts, 16) || load<u16>(at, 4) != load<u16>(texts, 20)) return 0
    at += 6
  }
  return load<u8>(at) == 32 && isSmallLetter(load<u8>(at, 1)) ? <u32>(at - line) : 0
}

/** Whether the time of day is spelled with two digits each, and is one of those that were told. */
function isClock(at: usize): bool {
  const hour = two(at)
  const minute = two(at + 3)
  const second = two(at + 6)
  if (hour > 23 || minute > 59 || second > 59 || load<u8>(at, 2) != 0x3a || load<u8>(at, 5) != 0x3a) return false
  clock = <i32>(hour * 3600 + minute * 60 + second)
  return clock >= earliest && clock <= latest
}

/** 100 and more: they are no digits. */
function two(at: usize): u32 {
  const tens = <u32>load<u8>(at) - 48
  const ones = <u32>load<u8>(at, 1) - 48
  return tens > 9 || ones > 9 ? 100 : tens * 10 + ones
}

function isDigit(code: u8): bool {
  return <u32>code - 48 < 10
}

function isSmallLetter(code: u8): bool {
  return <u32>code - 97 < 26
}
