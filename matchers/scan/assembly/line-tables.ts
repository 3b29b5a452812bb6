/**
 * What the kernel was told of the minutes and programs of lines. Both tables are small and forget: what is not in
 * them is asked for.
 */

/** 256 times: the key, and the time at which the minute begins; not a number: the date is none. */
let minutes: usize = 0
/** 256 times: length of the name, its row, and its bytes, 56 at most. */
let programs: usize = 0

export function useLineTables(minutesAt: usize, programsAt: usize): void {
  minutes = minutesAt
  programs = programsAt
}

/** Where the time of the minute is; 0: it is not known. */
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
  const length = to - from
  const place = programSlot(from, to)
  if (<usize>load<u32>(place) != length) return -1
  for (let index: usize = 0; index < length; index++) {
    if (load<u8>(from + index) != load<u8>(place + index, 8)) return -1
  }
  return <i32>load<u32>(place, 4)
}

export function programSlot(from: usize, to: usize): usize {
  // FNV-1a.
  let hash: u32 = 0x811c9dc5
  for (let at = from; at < to; at++) hash = (hash ^ load<u8>(at)) * 0x01000193
  return programs + ((<usize>((hash ^ (hash >> 16)) & 255)) << 6)
}
