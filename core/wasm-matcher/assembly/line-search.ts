/** Goes from line to line, or to those that hold one of some texts: 16 bytes at a time. Reads up to 16 bytes more than the longest of the texts behind the end. */

/** The line that was found last. */
export let lineStart: usize = 0
export let lineEnd: usize = 0

let next: usize = 0
let end: usize = 0
/** The texts, and where each stands next. */
let texts: string[] = []
let places = new StaticArray<usize>(0)
/** Of each text the two bytes that are rarest in logs: where they are in it. */
let rare = new StaticArray<i32>(0)

/** What lines must hold one of; none: all lines are found. They are ASCII. */
export function searchFor(literals: string[]): void {
  texts = literals
  places = new StaticArray<usize>(literals.length)
  rare = new StaticArray<i32>(2 * literals.length)
  for (let index = 0; index < literals.length; index++) {
    const first = rarest(literals[index], -1)
    rare[2 * index] = first
    rare[2 * index + 1] = rarest(literals[index], first)
  }
}

export function searchLines(from: usize, to: usize): void {
  next = from
  end = to
  for (let index = 0; index < places.length; index++) unchecked((places[index] = 0))
}

/** Goes on to the next line; false: there is none. */
export function nextLine(): bool {
  if (next >= end) return false
  const at = texts.length == 0 ? next : nextPlace()
  if (at == end) return false
  lineStart = at
  while (lineStart > next && load<u8>(lineStart - 1) != 10) lineStart--
  lineEnd = newline(at)
  next = lineEnd + 1
  return true
}

/** Where the first of the texts stands from `next` on; `end`: none does. */
function nextPlace(): usize {
  let first = end
  for (let index = 0; index < places.length; index++) {
    let place = unchecked(places[index])
    if (place < next) {
      place = find(index, next)
      unchecked((places[index] = place))
    }
    if (place < first) first = place
  }
  return first
}

/** Two bytes of the text are looked for together, and the others where both are there. */
function find(index: i32, from: usize): usize {
  const text = unchecked(texts[index])
  const length = <usize>text.length
  if (length == 0) return from
  const one = unchecked(rare[2 * index])
  const other = unchecked(rare[2 * index + 1])
  const first = i8x16.splat(<i8>text.charCodeAt(one))
  const second = i8x16.splat(<i8>text.charCodeAt(other))
  for (let at = from; at + length <= end; at += 16) {
    let hits = i8x16.bitmask(v128.and(i8x16.eq(v128.load(at + one), first), i8x16.eq(v128.load(at + other), second)))
    while (hits != 0) {
      const place = at + ctz(hits)
      hits &= hits - 1
      if (place + length > end) return end
      if (isThere(place, text)) return place
    }
  }
  return end
}

/** Where the rarest byte of a text is, beside the one at `not`; that one where there is no other. */
function rarest(text: string, not: i32): i32 {
  let best = not < 0 ? 0 : not
  let least = i32.MAX_VALUE
  for (let index = 0; index < text.length; index++) {
    const often = frequency(text.charCodeAt(index))
    if (index == not || often >= least) continue
    best = index
    least = often
  }
  return best
}

/** How often a byte is likely to be in a log, roughly. */
function frequency(byte: i32): i32 {
  if (byte >= 65 && byte <= 90) return 1
  if (byte >= 97 && byte <= 122) return byte == 101 || byte == 116 || byte == 97 || byte == 111 ? 4 : 3
  if (byte >= 48 && byte <= 57) return 5
  return byte == 32 || byte == 46 || byte == 124 || byte == 58 ? 6 : 2
}

function isThere(at: usize, text: string): bool {
  const characters = changetype<usize>(text)
  const length = <usize>text.length
  for (let index: usize = 0; index < length; index++) {
    if (<u16>load<u8>(at + index) != load<u16>(characters + (index << 1))) return false
  }
  return true
}

function newline(from: usize): usize {
  const wanted = i8x16.splat(10)
  for (let at = from; at < end; at += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), wanted))
    if (hits == 0) continue
    const place = at + ctz(hits)
    return place < end ? place : end - 1
  }
  return end - 1
}
