/**
 * Reads what stands before the message of a line, in the few forms that nearly all lines have. What is not exactly
 * of such a form is left to `core/matching/lines.ts`, which knows them all; what is, is read as it would read it.
 */
import { blank, blankOr } from './bytes'

/** The minute of the date and its zone, with the form; never 0. Which time that is, somebody else knows. */
export let minuteKey: u64 = 0
/** Milliseconds since the minute began. */
export let behindMinute: u32 = 0
/** As the key of the minute, of its quarter of an hour; no minute has the same. */
export let quarterKey: u64 = 0
/** Milliseconds from the begin of the quarter to that of the minute. */
export let behindQuarter: u32 = 0
/** What is cut out of the line, so that patterns see the rest. */
export let cutFrom: usize = 0
export let cutTo: usize = 0
/** Milliseconds that the fraction of the last date says. */
let fraction: u32 = 0
/** The syslog header; `messageFrom` 0: there is none. */
export let messageFrom: usize = 0
export let programFrom: usize = 0
export let programTo: usize = 0
export let pidFrom: usize = 0
export let pidTo: usize = 0

/** The date that the keys are of, where it is one of RFC 3164: most lines are of the minute of the line before them. */
let lastDate: v128 = i64x2.splat(0)
/** The bits of the bytes that tell its second. */
const secondsOfDate = 0x6000

let otherCutFrom: usize = 0
let otherCutTo: usize = 0
let otherMessageFrom: usize = 0
let otherProgramFrom: usize = 0
let otherProgramTo: usize = 0
let otherPidFrom: usize = 0
let otherPidTo: usize = 0

/** Puts the places of the head that was read last in the place of those of another line, which are there then again. */
export function changeHeads(): void {
  let kept = cutFrom
  cutFrom = otherCutFrom
  otherCutFrom = kept
  kept = cutTo
  cutTo = otherCutTo
  otherCutTo = kept
  kept = messageFrom
  messageFrom = otherMessageFrom
  otherMessageFrom = kept
  kept = programFrom
  programFrom = otherProgramFrom
  otherProgramFrom = kept
  kept = programTo
  programTo = otherProgramTo
  otherProgramTo = kept
  kept = pidFrom
  pidFrom = otherPidFrom
  otherPidFrom = kept
  kept = pidTo
  pidTo = otherPidTo
  otherPidTo = kept
}

/** Whether the line up to `stop`, its end without a newline, is of a form that is known here. */
export function readHead(start: usize, stop: usize): bool {
  if (stop < start + 24) return false
  messageFrom = 0
  const first = load<u8>(start)
  if (isDigit(first)) {
    const separator = load<u8>(start, 4)
    if (separator == 0x2d) return readIso(start, stop)
    return separator == 0x2f ? readErrorDate(start) : readAccess(start, stop)
  }
  return first == 0x5b ? readBracketed(start, stop) : readTraditional(start, stop)
}

/** RFC 3164: `Nov 22 13:41:02 HOST PROGRAM[PID]: `. */
function readTraditional(start: usize, stop: usize): bool {
  const next = load<u8>(start, 16)
  // A digit could go on with a year.
  if (isDigit(next) || isBlank(next)) return false
  cutFrom = start
  cutTo = start + 16
  const date = v128.load(start)
  if ((i8x16.bitmask(i8x16.eq(date, lastDate)) | secondsOfDate) == 0xffff) {
    const second = two(start + 13)
    if (second < 0 || second > 60) return false
    behindMinute = second * 1000
    return readHeader(start + 16, stop)
  }
  const month = monthAt(start)
  if (month < 0 || load<u8>(start, 3) != 32 || load<u8>(start, 6) != 32 || load<u8>(start, 15) != 32) return false
  const day = load<u8>(start, 4) == 32 ? digit(start + 5) : two(start + 4)
  if (!readMinute(1, 0, month, day, start + 7, localZone)) return false
  lastDate = date
  return readHeader(start + 16, stop)
}

/** RFC 3339: `2026-11-22T13:41:02.5+01:00 HOST PROGRAM[PID]: `. */
function readIso(start: usize, stop: usize): bool {
  if (load<u8>(start, 7) != 0x2d || load<u8>(start, 10) != 0x54) return false
  let at = behindFraction(start + 19, stop)
  if (at == 0 || at + 8 > stop) return false
  let zone = utcZone
  const sign = load<u8>(at)
  if (sign == 0x2b || sign == 0x2d) {
    const hours = two(at + 1)
    const minutes = two(at + 4)
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || load<u8>(at, 3) != 0x3a) return false
    zone += sign == 0x2b ? hours * 60 + minutes : -(hours * 60 + minutes)
    at += 6
  } else if (sign == 0x5a) at++
  else return false
  if (load<u8>(at) != 32 || isBlank(load<u8>(at, 1))) return false
  if (!readMinute(2, year(start), two(start + 5) - 1, two(start + 8), start + 11, zone)) return false
  behindMinute += fraction
  cutFrom = start
  cutTo = at + 1
  return readHeader(at + 1, stop)
}

/** The error log of nginx: `2026/11/22 13:41:02 [`. */
function readErrorDate(start: usize): bool {
  if (load<u8>(start, 7) != 0x2f || load<u8>(start, 10) != 32) return false
  if (load<u8>(start, 19) != 32 || load<u8>(start, 20) != 0x5b) return false
  if (!readMinute(3, year(start), two(start + 5) - 1, two(start + 8), start + 11, localZone)) return false
  cutFrom = start
  cutTo = start + 20
  return true
}

/**
 * An access log: `192.0.2.7 - frank [22/Nov/2026:13:41:02 +0000] "`, where the first bracket holds the date and no
 * later one could, since no other bracket has a quote behind it.
 */
function readAccess(start: usize, stop: usize): bool {
  let at = start
  let dots = 0
  let colons = 0
  while (load<u8>(at) != 32) {
    const code = load<u8>(at)
    if (code == 0x2e) dots++
    else if (code == 0x3a) colons++
    else if (!isHex(code)) return false
    // More digits than a number of an address has may be seconds since 1970.
    if (++at == stop || (at == start + 5 && dots + colons == 0)) return false
  }
  if (dots == 0 ? colons < 2 : dots != 3 || colons != 0) return false
  if (load<u8>(at, 1) != 0x2d || load<u8>(at, 2) != 32) return false
  while (load<u8>(at) != 0x5b) if (++at == stop) return false
  const date = at + 1
  if (date + 29 > stop || load<u8>(date, 2) != 0x2f || load<u8>(date, 6) != 0x2f || load<u8>(date, 11) != 0x3a)
    return false
  if (load<u8>(date, 20) != 32 || load<u8>(date, 26) != 0x5d) return false
  if (load<u8>(date, 27) != 32 || load<u8>(date, 28) != 0x22) return false
  const sign = load<u8>(date, 21)
  const hours = two(date + 22)
  const minutes = two(date + 24)
  if ((sign != 0x2b && sign != 0x2d) || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false
  const zone = utcZone + (sign == 0x2b ? hours * 60 + minutes : -(hours * 60 + minutes))
  if (!readMinute(4, year(date + 7), monthAt(date + 3), two(date), date + 12, zone)) return false
  if (hasQuotedBracket(date + 27, stop)) return false
  cutFrom = date
  cutTo = date + 26
  return true
}

/** The error log of Apache: `[Sun Nov 22 13:41:02.123456 2026] `. */
function readBracketed(start: usize, stop: usize): bool {
  const date = start + 5
  if (!isWeekday(start + 1) || load<u8>(start, 4) != 32) return false
  if (load<u8>(date, 3) != 32 || load<u8>(date, 6) != 32) return false
  let at = behindFraction(date + 15, stop)
  if (at == 0 || at + 7 > stop || load<u8>(at) != 32 || load<u8>(at, 5) != 0x5d || load<u8>(at, 6) != 32) return false
  const written = year(at + 1)
  if (written < 1970 || !readMinute(5, written, monthAt(date), two(date + 4), date + 7, localZone)) return false
  behindMinute += fraction
  cutFrom = start + 1
  cutTo = at + 5
  return true
}

/** `HOST PROGRAM[PID]: ` and `HOST PROGRAM: `. */
function readHeader(from: usize, stop: usize): bool {
  let at = blank(from, stop)
  if (at >= stop || load<u8>(at - 1) == 0x3a) return false
  programFrom = ++at
  at = blankOr(0x3a, 0x5b, at, stop)
  if (at >= stop || isBlank(load<u8>(at)) || at == programFrom || load<u8>(programFrom) == 0x2f) return false
  programTo = at
  pidFrom = at
  pidTo = at
  if (load<u8>(at) == 0x5b) {
    pidFrom = ++at
    const longest = min(stop, pidFrom + 32)
    at = blankOr(0x5d, 0x5d, at, longest)
    if (at == pidFrom || at >= longest || at + 1 >= stop || load<u8>(at) != 0x5d || load<u8>(at, 1) != 0x3a)
      return false
    pidTo = at++
  }
  // The colon, and a blank with a message behind it.
  if (at + 2 >= stop || !isBlank(load<u8>(at, 1))) return false
  messageFrom = at + 2
  const code = load<u8>(messageFrom)
  // `message repeated` of rsyslog, `[ID` of Solaris.
  return !(code == 0x6d && load<u8>(stop - 1) == 0x5d) && !(code == 0x5b && load<u8>(messageFrom, 1) == 0x49)
}

/** A bit that no key of a minute has. */
const aQuarter: u64 = 1 << 62
const localZone = 8000
const utcZone = 1440

function readMinute(form: i32, year: i32, month: i32, day: i32, clock: usize, zone: i32): bool {
  const hour = two(clock)
  const minute = two(clock + 3)
  const second = two(clock + 6)
  if (load<u8>(clock, 2) != 0x3a || load<u8>(clock, 5) != 0x3a) return false
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false
  if (month < 0 || month > 11 || day < 1 || day > 31 || (form != 1 && year < 1000)) return false
  lastDate = i64x2.splat(0)
  const days = (<u64>year * 12 + month) * 32 + day
  const quarter = minute / 15
  minuteKey = (((days * 24 + hour) * 60 + minute) * 8192 + zone) * 8 + form
  quarterKey = (((days * 24 + hour) * 60 + quarter) * 8192 + zone) * 8 + form + aQuarter
  behindQuarter = (minute - quarter * 15) * 60_000
  behindMinute = second * 1000
  return true
}

/** Behind a fraction of a second, or the same place where there is none; 0: it is no fraction that is read here. */
function behindFraction(from: usize, stop: usize): usize {
  fraction = 0
  if (load<u8>(from) != 0x2e) return from
  let scale: u32 = 100
  let at = from + 1
  while (at < stop && at < from + 10 && isDigit(load<u8>(at))) {
    fraction += (load<u8>(at) - 48) * scale
    scale /= 10
    at++
  }
  return at == from + 1 ? 0 : at
}

function year(at: usize): i32 {
  const high = two(at)
  const low = two(at + 2)
  return high < 0 || low < 0 ? -1 : high * 100 + low
}

function digit(at: usize): i32 {
  const value = <i32>load<u8>(at) - 48
  return <u32>value < 10 ? value : -1
}

function two(at: usize): i32 {
  const high = <i32>load<u8>(at) - 48
  const low = <i32>load<u8>(at, 1) - 48
  return <u32>high < 10 && <u32>low < 10 ? high * 10 + low : -1
}

function isDigit(code: u8): bool {
  return <u8>(code - 48) < 10
}

function isBlank(code: u8): bool {
  return code == 32 || code == 9
}

function isHex(code: u8): bool {
  return isDigit(code) || <u8>((code | 0x20) - 0x61) < 6
}

/** Whether `] "` stands there. */
function hasQuotedBracket(from: usize, end: usize): bool {
  const wanted = i8x16.splat(0x5d)
  for (let at = from; at < end; at += 16) {
    let hits = i8x16.bitmask(i8x16.eq(v128.load(at), wanted))
    while (hits != 0) {
      const place = at + ctz(hits)
      hits &= hits - 1
      if (place + 2 < end && load<u8>(place, 1) == 32 && load<u8>(place, 2) == 0x22) return true
    }
  }
  return false
}

function isWeekday(at: usize): bool {
  switch (load<u32>(at) & 0xffffff) {
    case 0x6e6f4d:
    case 0x657554:
    case 0x646557:
    case 0x756854:
    case 0x697246:
    case 0x746153:
    case 0x6e7553:
      return true
    default:
      return false
  }
}

/** 0 for January; -1 where no month stands. */
function monthAt(at: usize): i32 {
  switch (load<u32>(at) & 0xffffff) {
    case 0x6e614a:
      return 0
    case 0x626546:
      return 1
    case 0x72614d:
      return 2
    case 0x727041:
      return 3
    case 0x79614d:
      return 4
    case 0x6e754a:
      return 5
    case 0x6c754a:
      return 6
    case 0x677541:
      return 7
    case 0x706553:
      return 8
    case 0x74634f:
      return 9
    case 0x766f4e:
      return 10
    case 0x636544:
      return 11
    default:
      return -1
  }
}
