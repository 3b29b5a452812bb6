/** Searches 16 bytes at a time. They read up to 16 bytes behind the end, which must be there. */

/** Where the next newline is, from `from` on; `end` where there is none. */
export function newline(from: usize, end: usize): usize {
  const wanted = i8x16.splat(10)
  for (let at = from; at < end; at += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), wanted))
    if (hits == 0) continue
    const place = at + ctz(hits)
    return place < end ? place : end
  }
  return end
}

/** Where the next blank or tab is, from `from` on; `end` where there is none. */
export function blank(from: usize, end: usize): usize {
  for (let at = from; at < end; at += 16) {
    const hits = i8x16.bitmask(blanks(v128.load(at)))
    if (hits == 0) continue
    const place = at + ctz(hits)
    return place < end ? place : end
  }
  return end
}

/** Where the next of two bytes, or a blank or tab is; `end` where there is none. */
export function blankOr(one: u8, other: u8, from: usize, end: usize): usize {
  const ones = i8x16.splat(one)
  const others = i8x16.splat(other)
  for (let at = from; at < end; at += 16) {
    const text = v128.load(at)
    const either = v128.or(i8x16.eq(text, ones), i8x16.eq(text, others))
    const hits = i8x16.bitmask(v128.or(either, blanks(text)))
    if (hits == 0) continue
    const place = at + ctz(hits)
    return place < end ? place : end
  }
  return end
}

function blanks(text: v128): v128 {
  return v128.or(i8x16.eq(text, i8x16.splat(32)), i8x16.eq(text, i8x16.splat(9)))
}

/** Where the line begins that `at` stands in; `from` at the earliest. */
export function lineStart(at: usize, from: usize): usize {
  const wanted = i8x16.splat(10)
  let behind = at
  while (behind >= from + 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(behind - 16), wanted))
    if (hits != 0) return behind - clz(hits) + 16
    behind -= 16
  }
  while (behind > from && load<u8>(behind - 1) != 10) behind--
  return behind
}

/** Whether all bytes are ASCII. */
export function isAscii(from: usize, end: usize): bool {
  let at = from
  for (; at + 16 <= end; at += 16) if (i8x16.bitmask(v128.load(at)) != 0) return false
  const rest = end - at
  return (i8x16.bitmask(v128.load(at)) & ((1 << (<i32>rest)) - 1)) == 0
}

/** How many newlines there are. */
export function newlines(from: usize, end: usize): u32 {
  const wanted = i8x16.splat(10)
  let count: u32 = 0
  let at = from
  while (at + 64 <= end) {
    // A lane counts to 255 at most, of which each turn may add four.
    const turns = min<usize>((end - at) >> 6, 63)
    let lanes = i8x16.splat(0)
    for (let turn: usize = 0; turn < turns; turn++) {
      const first = i8x16.add(i8x16.eq(v128.load(at), wanted), i8x16.eq(v128.load(at, 16), wanted))
      const second = i8x16.add(i8x16.eq(v128.load(at, 32), wanted), i8x16.eq(v128.load(at, 48), wanted))
      lanes = i8x16.sub(lanes, i8x16.add(first, second))
      at += 64
    }
    const pairs = i16x8.extadd_pairwise_i8x16_u(lanes)
    const sums = i32x4.extadd_pairwise_i16x8_u(pairs)
    count +=
      i32x4.extract_lane(sums, 0) +
      i32x4.extract_lane(sums, 1) +
      i32x4.extract_lane(sums, 2) +
      i32x4.extract_lane(sums, 3)
  }
  for (; at < end; at++) if (load<u8>(at) == 10) count++
  return count
}

/** Whether `most` bytes and more stand between two newlines, where a block begins and ends with a line. */
export function hasLongLine(from: usize, end: usize, most: usize): bool {
  let start = from
  // From where a line may begin at the latest, its newline must come before a line of `most` bytes would end.
  while (start + most < end) {
    const next = lineStart(start + most + 1, start)
    if (next == start) return true
    start = next
  }
  return false
}
