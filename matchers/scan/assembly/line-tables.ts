/**
 * What the kernel was told of the minutes and programs of lines. Both tables are small and forget: what is not in
 * them is asked for.
 */

/** 256 times: the key, and the time at which the minute or the quarter of an hour begins; not a number: the date is none. */
let minutes: usize = 0
/** 256 times: length of the name, its row, and its bytes, 56 at most. */
let programs: usize = 0

/** The name that was asked for last, where it has 1 to 16 bytes, and its row. */
let lastName: v128 = i64x2.splat(0)
let lastLength: u32 = 0
let lastRow: i32 = 0

/** The tables were changed, or may have been. */
export function forgetLast(): void {
  lastLength = 0
}

export function useLineTables(minutesAt: usize, programsAt: usize): void {
  minutes = minutesAt
  programs = programsAt
}

/** Where the time of the minute or quarter is; 0: it is not known. */
export function minutePlace(key: u64): usize {
  const place = minuteSlot(key)
  return load<u64>(place) == key ? place + 8 : 0
}

export function minuteSlot(key: u64): usize {
  const folded = <u32>(key ^ (key >> 29))
  return minutes + ((<usize>((folded * 0x9e3779b1) >> 24)) << 4)
}

/** The row of the program; -1: it is not known. */
export function programRow(from: usize, to: usize): i32 {
  const length = <u32>(to - from)
  const name = v128.load(from)
  if (length == lastLength && (i8x16.bitmask(i8x16.eq(name, lastName)) | ~((1 << length) - 1)) == -1) return lastRow
  const place = programSlot(from, to)
  if (load<u32>(place) != length) return -1
  for (let index: usize = 0; index < length; index++) {
    if (load<u8>(from + index) != load<u8>(place + index, 8)) return -1
  }
  const row = <i32>load<u32>(place, 4)
  if (length <= 16) {
    lastName = name
    lastLength = length
    lastRow = row
  }
  return row
}

export function programSlot(from: usize, to: usize): usize {
  // FNV-1a.
  let hash: u32 = 0x811c9dc5
  for (let at = from; at < to; at++) hash = (hash ^ load<u8>(at)) * 0x01000193
  return programs + ((<usize>((hash ^ (hash >> 16)) & 255)) << 6)
}
