/**
 * The kernel of the scanner: goes over lines, reads their heads, runs the automata that look at lines of such a
 * program, and writes records of what it found. It holds no answer that is not in its tables: where one is missing
 * it stops, says what it missed, and takes the line up again when it is called again.
 */
import { addressWords, readAddress } from './address'
import {
  missed,
  missedClass,
  missedState,
  noMatch,
  notAscii,
  read,
  readBoth,
  second,
  useNotes,
  walk,
} from './automaton'
import { hasLongLine, isAscii, lineStart, newline, newlines } from './bytes'
import {
  behindMinute,
  behindQuarter,
  changeHeads,
  cutFrom,
  cutTo,
  messageFrom,
  minuteKey,
  quarterKey,
  pidFrom,
  pidTo,
  programFrom,
  programTo,
  readHead,
} from './line-head'
import { forgetLast, minutePlace, minuteSlot, programRow, programSlot, useLineTables } from './line-tables'
import { literalSlot, literalSlots, literalTables, nextLiteral, useLiterals } from './literals'

export { addressWords, hasLongLine, literalSlot, literalSlots, literalTables, newlines, readAddress }

/** Why `scan` came back. */
const done = 0
const fullRecords = 1
const missesMinute = 2
const missesProgram = 3
const missesState = 4
/** The head of the line is of no form that is known here. */
const unusualHead = 5

/** What a record says. */
const found = 0
const unusualLine = 1
const unsureFilter = 2
const unsureAutomaton = 3

/** Bytes of a record in front of its captures. */
const recordHead = 96
/** Longer names of programs are unusual. */
const longestProgram: usize = 56

let text: usize = 0
let records: usize = 0
let recordsEnd: usize = 0
let automata: usize = 0
let rows: usize = 0
let rowBytes: u32 = 0
let scratch: usize = 0
let prefilters = false
let counts = false
let counted: u32 = 0

let at: usize = 0
let end: usize = 0
let next: usize = 0
/** What stands at the begin of the line: its time, and the number of its program's row. */
let lineTime: f64 = 0
let lineRow: u32 = 0
/** Notes of lines, and of those that are read ahead. */
let notesOfLine: usize = 0
let notesAhead: usize = 0
/** Where the line begins that was read beside the one before it, 0: none was; what stands at its begin, and the verdict. */
let ahead: usize = 0
let aheadTime: f64 = 0
let aheadRow: u32 = 0
let aheadVerdict: usize = 0
/** The verdict of no text. */
const notRead: usize = 3
/** The line that was counted in another way. */
let notCounted: usize = 0
let unsure = false
let looked: usize = 0
let answered: usize = 0
let missedAutomaton: u32 = 0
let lineFrom: usize = 0
let lineTo: usize = 0
/** From where a line was sought last, and which one is to be looked at: `end` where there is none. */
let soughtAt: usize = 0
let soughtFrom: usize = 0
let soughtTo: usize = 0

/** Where everything is. Rows: how many lines, how many automata, then each with how the text is cut in the high half. */
export function configure(
  textAt: usize,
  recordsAt: usize,
  recordsTo: usize,
  automataAt: usize,
  rowsAt: usize,
  bytesOfRow: u32,
  scratchAt: usize,
  notesAt: usize,
  bytesOfNotes: usize,
  minutesAt: usize,
  programsAt: usize,
  literalsAt: usize,
): void {
  text = textAt
  records = recordsAt
  recordsEnd = recordsTo
  automata = automataAt
  rows = rowsAt
  rowBytes = bytesOfRow
  scratch = scratchAt
  notesOfLine = notesAt
  notesAhead = notesAt + bytesOfNotes
  useLineTables(minutesAt, programsAt)
  useLiterals(literalsAt)
}

/**
 * Begins with lines from there to there, which ends behind a newline. Offsets are those in the text. Where records are
 * not wanted, what it is sure of is only counted.
 */
export function begin(from: u32, to: u32, onlyWithLiterals: bool, withoutRecords: bool): void {
  counts = withoutRecords
  counted = 0
  at = text + from
  end = text + to
  prefilters = onlyWithLiterals
  notCounted = 0
  looked = 0
  answered = 0
  soughtAt = 0
}

/** Goes on; answers why it came back. The records written since are from the begin of their memory up to `written`. */
export function scan(): i32 {
  next = records
  ahead = 0
  forgetLast()
  while (at < end) {
    if (next > recordsEnd) return fullRecords
    if (!seek(at)) break
    lineFrom = soughtFrom
    lineTo = soughtTo
    const mark = next
    const before = counted
    unsure = false
    const came = line()
    if (came != done) {
      next = mark
      counted = before
      at = lineFrom
      return came
    }
    looked += lineTo - lineFrom
    if (next != mark || counted != before) answered += lineTo - lineFrom
    at = lineTo + 1
  }
  at = end
  return done
}

/** Seeks the first line from there on that is to be looked at; false: there is none. */
function seek(from: usize): bool {
  if (soughtAt != from) {
    soughtAt = from
    const hit = prefilters ? nextLiteral(from, end) : from
    soughtFrom = prefilters && hit < end ? lineStart(hit, from) : hit
    soughtTo = newline(hit, end)
  }
  return soughtFrom < end
}

/** Where the next record would be written. */
export function written(): usize {
  return next
}

/** How many records were not wanted since the begin. */
export function countedRecords(): u32 {
  return counted
}

/** How many bytes the lines have that were looked at since the begin. */
export function lookedBytes(): usize {
  return looked
}

/** How many of them those lines have of which there were records, or that were counted. */
export function answeredBytes(): usize {
  return answered
}

/** The line that was missed for: its first byte and its newline, as offsets in the text. */
export function missedFrom(): u32 {
  return <u32>(lineFrom - text)
}

export function missedTo(): u32 {
  return <u32>(lineTo - text)
}

/** Where the date is cut out of that line. */
export function missedCutFrom(): u32 {
  return <u32>(cutFrom - text)
}

export function missedCutTo(): u32 {
  return <u32>(cutTo - text)
}

/**
 * Tells the time of that line in milliseconds; not a number: it is to be looked at by somebody else. `steady`: in its
 * quarter of an hour the clock was not turned, and all dates of it are of one year.
 */
export function tellTime(time: f64, steady: bool): void {
  const key = steady ? quarterKey : minuteKey
  const place = minuteSlot(key)
  store<u64>(place, key)
  store<f64>(place, time - <f64>(steady ? behindQuarter + behindMinute : behindMinute), 8)
  // Who tells it has read the line, which counts.
  notCounted = lineFrom
}

/** The program of that line. */
export function missedProgramFrom(): u32 {
  return <u32>(programFrom - text)
}

export function missedProgramTo(): u32 {
  return <u32>(programTo - text)
}

export function tellProgram(row: u32): void {
  const place = programSlot(programFrom, programTo)
  const length = programTo - programFrom
  store<u32>(place, <u32>length)
  store<u32>(place, row, 4)
  memory.copy(place + 8, programFrom, length)
}

/** The transition that was missed, and of which automaton. */
export function missingAutomaton(): u32 {
  return missedAutomaton
}

export function missingState(): u32 {
  return missedState
}

export function missingClass(): u32 {
  return missedClass
}

function line(): i32 {
  const stop = stopOf(lineFrom, lineTo)
  const wasRead = ahead == lineFrom
  let verdict = notRead
  if (wasRead) {
    changeHeads()
    lineTime = aheadTime
    lineRow = aheadRow
    verdict = aheadVerdict
    useNotes(notesAhead)
  } else {
    const came = head(lineFrom, stop)
    if (came == unusualHead) return unusual()
    if (came != done) return came
    useNotes(notesOfLine)
  }
  ahead = 0
  const row = rowOf(lineRow)
  const last = row + 8 + ((<usize>load<u32>(row, 4)) << 2)
  let scratched: usize = 0
  for (let entry = row + 8; entry < last; entry += 4) {
    const index = load<u16>(entry)
    const seesAll = load<u16>(entry, 2) != 0
    let from = messageFrom
    let to = stop
    if (seesAll) {
      from = cutTo
      if (cutFrom != lineFrom) {
        if (scratched == 0) scratched = withoutDate(stop)
        from = scratch
        to = scratched
      }
    } else if (entry == row + 8 && !wasRead) verdict = readWithNext(index, from, to)
    if (!look(index, from, to, stop, seesAll, verdict)) return missesState
    verdict = notRead
  }
  if (!unsure && lineFrom != notCounted) store<u32>(row, load<u32>(row) + 1)
  return done
}

/** Where a line ends without what ends it. */
function stopOf(from: usize, to: usize): usize {
  return to > from && load<u8>(to - 1) == 13 ? to - 1 : to
}

function rowOf(number: u32): usize {
  return rows + <usize>number * rowBytes
}

/** Reads what stands at the begin of a line. Answers `done`, what it misses for that, or `unusualHead`. */
function head(from: usize, stop: usize): i32 {
  if (!readHead(from, stop) || (messageFrom != 0 && programTo - programFrom > longestProgram)) return unusualHead
  let behind = behindQuarter + behindMinute
  let known = minutePlace(quarterKey)
  if (known == 0) {
    behind = behindMinute
    known = minutePlace(minuteKey)
    if (known == 0) return missesMinute
  }
  lineTime = load<f64>(known) + <f64>behind
  if (isNaN(lineTime)) return unusualHead
  lineRow = 0
  if (messageFrom == 0) return done
  const number = programRow(programFrom, programTo)
  if (number < 0) return missesProgram
  lineRow = <u32>number
  return done
}

/**
 * The verdict of the line's message. Where the first to look at the line after it is the same automaton, and looks at the
 * message too, that line is read beside this one.
 */
function readWithNext(index: u32, from: usize, to: usize): usize {
  const automaton = automata + ((<usize>index) << 6)
  if (load<u32>(automaton, 40) != 0 || !seek(lineTo + 1)) return notRead
  const start = soughtFrom
  const stop = stopOf(start, soughtTo)
  const time = lineTime
  const number = lineRow
  changeHeads()
  const came = head(start, stop)
  const message = messageFrom
  changeHeads()
  aheadTime = lineTime
  aheadRow = lineRow
  lineTime = time
  lineRow = number
  const row = rowOf(aheadRow)
  if (came != done || message == 0 || load<u32>(row, 4) == 0 || load<u32>(row, 8) != index) return notRead
  const verdict = readBoth(automaton, from, to, message, stop, notesAhead)
  aheadVerdict = second
  if (second != missed) ahead = start
  return verdict
}

/** Copies the line without its date to where it can be read as one text; answers where it ends. */
function withoutDate(stop: usize): usize {
  const before = cutFrom - lineFrom
  memory.copy(scratch, lineFrom, before)
  memory.copy(scratch + before, cutTo, stop - cutTo)
  return scratch + before + (stop - cutTo)
}

/** `known`: the verdict, where the text was read. False: it missed a state. */
function look(index: u32, from: usize, to: usize, stop: usize, seesAll: bool, known: usize): bool {
  const automaton = automata + ((<usize>index) << 6)
  // Somebody else looks at all lines of this one.
  if (load<u32>(automaton, 40) != 0) return doubt(unsureAutomaton, index)
  const verdict = known == notRead ? read(automaton, from, to) : known
  if (verdict == noMatch) return true
  if (verdict == missed) {
    missedAutomaton = index
    return false
  }
  if (verdict == notAscii || to - from >= load<u32>(automaton, 36) || !isAscii(lineFrom, stop))
    return doubt(unsureAutomaton, index)
  const last = verdict + 4 + <usize>load<u32>(verdict) * 12
  for (let entry = verdict + 4; entry < last; entry += 12) {
    const kind = load<u32>(entry)
    const filter = load<u32>(entry, 4)
    if (kind == 2) continue
    if (kind == 1) {
      doubt(unsureFilter, filter)
      continue
    }
    const rule = <usize>load<u32>(automaton, 32) + ((<usize>load<u32>(entry, 8)) << 5)
    const content = load<u32>(rule, 16)
    if (counts && content == 0) {
      counted++
      continue
    }
    const record = begun(found, filter, rule, stop, seesAll)
    const groups = load<u32>(rule, 4)
    clear(record, 0, groups)
    walk(automaton, load<u32>(rule), from, from, record + recordHead)
    if (content == 0) close(record, groups, 0, from, load<u32>(rule, 8), 0)
    else {
      const came = lookInside(record, content - 1, groups, from, filter, load<u32>(rule, 20), load<u32>(rule, 8))
      if (came == missesState) return false
      // The notes are those of the content now.
      if (entry + 12 < last) read(automaton, from, to)
    }
  }
  return true
}

/**
 * Looks at what an expression that leads to others left for them: in the first of its `contents` that captured
 * something, which stand behind those of its addresses.
 */
function lookInside(
  record: usize,
  index: u32,
  before: u32,
  origin: usize,
  filter: u32,
  contents: u32,
  addresses: u32,
): i32 {
  const captures = record + recordHead
  let from: u32 = 0xffffffff
  let to: u32 = 0
  for (let content = addresses; content < addresses + contents; content++) {
    const place = captures + ((<usize>content) << 3)
    if (load<u32>(place) == 0xffffffff || from < to) continue
    from = load<u32>(place)
    to = load<u32>(place, 4)
  }
  if (from == 0xffffffff) {
    doubt(unsureFilter, filter)
    return done
  }
  const automaton = automata + ((<usize>index) << 6)
  const begin = origin + from
  const stop = origin + to
  const verdict = read(automaton, begin, stop)
  if (verdict == noMatch) return done
  if (verdict == missed) {
    missedAutomaton = index
    return missesState
  }
  if (verdict == notAscii || stop - begin >= load<u32>(automaton, 36) || load<u32>(verdict, 4) != 0) {
    doubt(unsureFilter, filter)
    return done
  }
  const rule = <usize>load<u32>(automaton, 32) + ((<usize>load<u32>(verdict, 12)) << 5)
  const groups = load<u32>(rule, 4)
  clear(record, before, groups)
  walk(automaton, load<u32>(rule), begin, origin, captures + (before << 3))
  store<u32>(record, load<u32>(rule, 12), 12)
  close(record, before + groups, before, origin, load<u32>(rule, 8), addresses)
  return done
}

function unusual(): i32 {
  doubt(unusualLine, 0)
  return done
}

/** Somebody who is sure must look at the line, for one filter or for all of an automaton or scanner. */
function doubt(kind: u32, subject: u32): bool {
  unsure = true
  store<u32>(next, recordHead)
  store<u32>(next, kind, 4)
  store<u32>(next, subject, 8)
  store<u32>(next, <u32>(lineFrom - text), 16)
  store<u32>(next, <u32>(lineTo - text), 20)
  next += recordHead
  return true
}

function begun(kind: u32, filter: u32, rule: usize, stop: usize, seesAll: bool): usize {
  store<u32>(next, kind, 4)
  store<u32>(next, filter, 8)
  store<u32>(next, load<u32>(rule, 12), 12)
  store<u32>(next, <u32>(lineFrom - text), 16)
  store<u32>(next, <u32>(lineTo - text), 20)
  store<u32>(next, <u32>(stop - text), 24)
  store<u32>(next, seesAll ? 1 : 0, 28)
  store<u32>(next, <u32>(cutFrom - text), 32)
  store<u32>(next, <u32>(cutTo - text), 36)
  store<u32>(next, lineRow, 40)
  store<u32>(next, <u32>(pidFrom - text), 44)
  store<u32>(next, <u32>(pidTo - text), 48)
  store<u32>(next, messageFrom == 0 ? 0xffffffff : <u32>(messageFrom - text), 52)
  store<f64>(next, lineTime, 64)
  return next
}

/** No group has captured anything yet. */
function clear(record: usize, from: u32, groups: u32): void {
  memory.fill(record + recordHead + (from << 3), 0xff, groups << 3)
}

/** Reads the address, which is in the first group of those that hold one, and leaves the record where it is. */
function close(record: usize, groups: u32, before: u32, origin: usize, own: u32, inherited: u32): void {
  const captures = record + recordHead
  let group = first(captures + (before << 3), own)
  let place = captures + ((before + group) << 3)
  if (group == own) {
    group = first(captures, inherited)
    if (group == inherited) return
    place = captures + (group << 3)
  }
  const has = readAddress(origin + load<u32>(place), origin + load<u32>(place, 4))
  store<u32>(record, has ? 1 : 0, 72)
  if (has) memory.copy(record + 76, addressWords(), 16)
  store<u32>(record, before, 56)
  store<u32>(record, <u32>((place - captures) >> 3), 60)
  const bytes = recordHead + (groups << 3)
  store<u32>(record, bytes, 0)
  next = record + bytes
}

/** The first of so many groups that captured something; `groups` where none did. */
function first(captures: usize, groups: u32): u32 {
  for (let group: u32 = 0; group < groups; group++) if (load<u32>(captures + (group << 3)) != 0xffffffff) return group
  return groups
}
