/** The interface of `core/wasm-matcher/abi.ts`, from inside. What `bailiff plugin build` writes around a matcher calls it. */
import { Found } from './found'
import { lineEnd, lineStart, nextLine, searchFor, searchLines } from './line-search'
import { Options } from './options'
import { cut, forgetTexts, Text } from './text'

export { Found, Options, Text }

export const abi: i32 = 1

/** A line in which something was found is as long as a record at least, so more of them than this do not come at once. */
const maxRecords: i32 = 1024
const recordBytes: usize = 64
const answerBytes: usize = 16
/** What may be read behind the end. */
const behind = 1024
/** Lines after which what they left behind is cleared away. */
const linesAtOnce = 8192

let text: usize = 0
let room: usize = 0
const answer = heap.alloc(answerBytes + <usize>maxRecords * recordBytes)
let count = 0
let lines = 0
let complaint: usize = 0

/** What was found in the line. */
export const found = new Found()

export function useLiterals(literals: string[]): void {
  searchFor(literals)
}

export function buffer(bytes: i32): usize {
  const wanted = <usize>bytes + behind
  if (wanted > room) {
    if (text != 0) heap.free(text)
    text = heap.alloc(wanted)
    room = wanted
  }
  return text
}

/** Texts that the matcher made of lines before are cleared away here, where none is in use. */
export function begin(from: i32, bytes: i32): void {
  __collect()
  searchLines(text + from, text + bytes)
  count = 0
  lines = 0
}

/** The next line to look at; null: there is none now. */
export function line(): Text | null {
  if (count == maxRecords || lines++ == linesAtOnce || !nextLine()) return null
  forgetTexts()
  found.clear()
  return cut(lineStart, lineEnd > lineStart && load<u8>(lineEnd - 1) == 13 ? lineEnd - 1 : lineEnd)
}

/** Keeps what was found in the line. */
export function keep(): void {
  if (found.address.isEmpty) return
  const at = answer + answerBytes + <usize>count * recordBytes
  count++
  store<f64>(at, found.time)
  store<u32>(at, <u32>(lineStart - text), 8)
  store<u32>(at, <u32>(lineEnd - text), 12)
  span(at + 16, found.address)
  store<u32>(at, <u32>found.rule, 24)
  store<u32>(at, 0, 28)
  span(at + 32, found.date)
  span(at + 40, found.user)
  span(at + 48, found.session)
  store<u64>(at, 0, 56)
}

/** The answer. */
export function end(bytes: i32): usize {
  const isDone = count < maxRecords && lines <= linesAtOnce
  store<u32>(answer, <u32>count)
  store<u32>(answer, isDone ? <u32>bytes : <u32>(lineEnd + 1 - text), 4)
  return answer
}

/** What was given as options. */
export function optionsGiven(bytes: i32): Options {
  return new Options(String.UTF8.decodeUnsafe(text, <usize>bytes))
}

/** Answers a complaint; of nothing where it is empty. */
export function complain(about: string): usize {
  if (about == '') return 0
  complaint = changetype<usize>(__pin(changetype<usize>(String.UTF8.encode(about, true))))
  return complaint
}

export function listed(texts: string[]): usize {
  complaint = changetype<usize>(__pin(changetype<usize>(String.UTF8.encode(texts.join('\n'), true))))
  return complaint
}

function span(at: usize, part: Text): void {
  store<u32>(at, part.isEmpty ? 0 : <u32>(part.from - text))
  store<u32>(at, part.isEmpty ? 0 : <u32>(part.to - text), 4)
}
