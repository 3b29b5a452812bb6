/**
 * The kernel of the blocks of a Fail2ban tree: passes over lines that cannot matter, and says which may. A line that does
 * not begin with a date of the day that it was told, spelled just so, or that is not all ASCII, stops it: nothing about
 * dates is decided here. What stands before the content, and which failregexes may match that, it looks up; where a table
 * has no answer yet it stops, says where, and takes the line up again when it is called again.
 */
import {
  literalSlot,
  literalSlots,
  literalTables,
  nextLiteral,
  useLiterals,
} from '../../../../matchers/scan/assembly/literals'
import { clock, dateLength, dayTexts, tellDay } from './date-run'
import { isMarked, mark, sessionHash, sessionMarks } from './session-marks'

export { dayTexts, literalSlot, literalSlots, literalTables, sessionMarks, tellDay }

/** Why `scan` came back. */
const done = 0
const fullRecords = 1
const oddLine = 2
const missesFront = 3
const missesRule = 4

/** What `look` says beside what it missed. */
const passedOver = -1
const wanted = -2

/** Begin and newline of the line, the leaf of its front; the second of its day, and above so many bits the length of its date. */
const recordBytes = 16
const dateShift = 20
/** A step of a front that ends in a leaf has this bit. */
const leafBit: u32 = 0x80000000
/** In place of a leaf: nobody looked. */
const noLeaf: u32 = 0xffffffff

/** Kinds of leaves: the front matches; it does not; it would have to be searched. */
const frontMatches: u32 = 0
const frontFails: u32 = 1
/** Kinds of what rules may match: none; those that only end a session; others. */
const noRules: u32 = 0
const quietRules: u32 = 1
const someRules: u32 = 2
/** More characters of the text tell which rules may match. */
const moreRules: u32 = 3
/** Others may match only a text that holds one of some words; added to the kind for texts that hold none. */
const wordRules: u32 = 4

let text: usize = 0
let records: usize = 0
let recordsEnd: usize = 0
let hasLiterals = false
/** 0: lines are not looked at, those with a literal are wanted. */
let classes: usize = 0
let fronts: usize = 0
let frontShift: u32 = 0
let leaves: usize = 0
let rules: usize = 0

let at: usize = 0
let end: usize = 0
/** The next literal; it is behind all that was gone over, or is to be looked for. */
let hit: usize = 0
let skipsQuiet = false
let next: usize = 0
let lines: u32 = 0
let lastLine: usize = 0
let beyondAscii = false
let missedNode: u32 = 0
let missedCode: u32 = 0
let missedText: usize = 0
let missedStop: usize = 0
let leaf: u32 = noLeaf

/**
 * Where everything is. `literalsAt` 0: every line may matter. `rulesAt` 0: lines are not looked at; `frontsAt` 0: the content is
 * all behind the date.
 */
export function configure(
  textAt: usize,
  recordsAt: usize,
  recordsTo: usize,
  literalsAt: usize,
  classesAt: usize,
  frontsAt: usize,
  shiftOfFronts: u32,
  leavesAt: usize,
  rulesAt: usize,
): void {
  text = textAt
  records = recordsAt
  recordsEnd = recordsTo - recordBytes
  hasLiterals = literalsAt != 0
  useLiterals(literalsAt)
  classes = classesAt
  fronts = frontsAt
  frontShift = shiftOfFronts
  leaves = leavesAt
  rules = rulesAt
}

/** Another text was put in its place. */
export function renew(): void {
  hit = 0
}

/**
 * Begins with lines from there to there, the end of the text, which is behind a newline. Offsets are those in the text.
 * `withoutQuiet`: lines that only end a session which has no mark are passed over.
 */
export function begin(from: u32, to: u32, withoutQuiet: bool): void {
  at = text + from
  end = text + to
  skipsQuiet = withoutQuiet
}

/** Goes on; answers why it came back. The records written since are from the begin of their memory up to `written`. */
export function scan(): i32 {
  next = records
  lines = 0
  while (at < end) {
    if (next > recordsEnd) return fullRecords
    const newline = lineEnd(at)
    if (beyondAscii) return oddLine
    const date = dateLength(at)
    if (date == 0) return oddLine
    if (hasLiterals && hit < at) hit = nextLiteral(at, end)
    if (!hasLiterals || hit < newline) {
      leaf = noLeaf
      const came = rules == 0 ? wanted : look(at + date, newline)
      if (came >= 0) return came
      if (came == wanted) {
        store<u32>(next, <u32>(at - text))
        store<u32>(next, <u32>(newline - text), 4)
        store<u32>(next, leaf, 8)
        store<u32>(next, (date << dateShift) | clock, 12)
        next += recordBytes
      }
    }
    lines++
    lastLine = at
    at = newline + 1
  }
  return done
}

export function written(): usize {
  return next
}

/** How many lines were gone over since `scan` was called last, and where the last of them begins. */
export function linesSince(): u32 {
  return lines
}

export function lastFrom(): u32 {
  return <u32>(lastLine - text)
}

/** Where the line begins at which it came back. */
export function placeNow(): u32 {
  return <u32>(at - text)
}

/** The step that was missed: from which node, by which class or character; and the text that was looked at. */
export function missingNode(): u32 {
  return missedNode
}

export function missingCode(): u32 {
  return missedCode
}

export function missedFrom(): u32 {
  return <u32>(missedText - text)
}

export function missedTo(): u32 {
  return <u32>(missedStop - text)
}

/** Where the newline of the line is; there is one. Sets `beyondAscii`. */
function lineEnd(from: usize): usize {
  const wantedBytes = i8x16.splat(10)
  beyondAscii = false
  for (let place = from; ; place += 16) {
    const bytes = v128.load(place)
    const hits = i8x16.bitmask(i8x16.eq(bytes, wantedBytes))
    const high = i8x16.bitmask(bytes)
    if (hits == 0) {
      if (high != 0) beyondAscii = true
      continue
    }
    if ((high & (hits - 1) & ~hits) != 0) beyondAscii = true
    return place + ctz(hits)
  }
}

/** Looks at what is behind the date, up to a newline: whether anybody wants to see it, or what is missed. */
function look(from: usize, newline: usize): i32 {
  let stop = newline
  while (stop > from && load<u8>(stop - 1) == 13) stop--
  let content = from
  let sessionFrom: u32 = 0
  let sessionTo: u32 = noLeaf
  if (fronts != 0) {
    const came = findFront(from, stop)
    if (came != wanted) return came
    const place = leaves + ((<usize>leaf) << 4)
    const kind = load<u32>(place, 12)
    if (kind == frontFails) return passedOver
    if (kind != frontMatches) {
      leaf = noLeaf
      return wanted
    }
    content = from + load<u32>(place)
    sessionFrom = load<u32>(place, 4)
    sessionTo = load<u32>(place, 8)
  }
  const kind = kindOfRules(content, stop)
  if (kind < 0) return missesRule
  if (kind == noRules) return passedOver
  if (sessionTo == noLeaf) return wanted
  const hash = sessionHash(from + sessionFrom, from + sessionTo)
  if (kind == quietRules && skipsQuiet && !isMarked(hash)) return passedOver
  mark(hash)
  return wanted
}

/** Finds the leaf of the front, or misses a step. */
function findFront(from: usize, stop: usize): i32 {
  let node: u32 = 0
  let place = from
  while (true) {
    const byteClass = <u32>load<u8>(classes + (place < stop ? <usize>load<u8>(place) : 10))
    const step = load<u32>(fronts + ((<usize>((node << frontShift) + byteClass)) << 2))
    if (step == 0) {
      missedNode = node
      missedCode = byteClass
      missedText = from
      missedStop = stop
      return missesFront
    }
    if (step & leafBit) {
      leaf = step & ~leafBit
      return wanted
    }
    node = step
    place++
  }
}

/** Which rules may match the content, as `RuleDispatch` says; -1: it misses a step. A node: column, kind, and where each character leads. */
function kindOfRules(content: usize, stop: usize): i32 {
  let node: u32 = 0
  while (true) {
    const entry = rules + <usize>node * 264
    const kind = load<u16>(entry, 2)
    if (kind >= wordRules) return hasWord(entry, content, stop) ? someRules : kind - wordRules
    if (kind != moreRules) return kind
    const place = content + load<u16>(entry)
    const code = place < stop ? <u32>load<u8>(place) : place == stop ? 10 : 128
    const step = load<u16>(entry + (code << 1), 4)
    if (step == 0) {
      missedNode = node
      missedCode = code
      missedText = content
      missedStop = stop
      return -1
    }
    node = step
  }
}

/** Whether one of the words of a node stands in the content: behind its kind how many there are, then where each is and how long. */
function hasWord(entry: usize, content: usize, stop: usize): bool {
  const last = entry + 8 + ((<usize>load<u32>(entry, 4)) << 3)
  for (let word = entry + 8; word < last; word += 8) {
    const bytes = <usize>load<u32>(word)
    const length = <usize>load<u32>(word, 4)
    const first = i8x16.splat(load<u8>(bytes))
    for (let place = content; place + length <= stop; place += 16) {
      let hits = i8x16.bitmask(i8x16.eq(v128.load(place), first))
      while (hits != 0) {
        const at = place + ctz(hits)
        hits &= hits - 1
        if (at + length <= stop && same(at, bytes, length)) return true
      }
    }
  }
  return false
}

function same(one: usize, other: usize, length: usize): bool {
  for (let index: usize = 1; index < length; index++) {
    if (load<u8>(one + index) != load<u8>(other + index)) return false
  }
  return true
}
