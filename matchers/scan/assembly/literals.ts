/**
 * Finds lines that hold one of some literals, 16 bytes at a time: three bytes of every literal, its window, are
 * looked up in tables of their half bytes, one bit a bucket of literals. What a window seems to stand for is
 * compared in full. The method is that of Teddy, of Hyperscan (Wang et al., NSDI 2019, section 4.3).
 */

/** Tables of the low and the high half bytes of the three bytes of a window, 16 bytes each: a bit for each bucket. */
const tables = memory.data(96)
/** For each of the 8 buckets: where its literals begin in the list, and how many they are; two words each. */
const buckets = memory.data(64)
const spill = memory.data(16)
/** Four words for each literal: where its bytes are, how many, where its window is in it, and nothing. */
let list: usize = 0

export function literalTables(): usize {
  return tables
}

export function literalBuckets(): usize {
  return buckets
}

export function useLiterals(at: usize): void {
  list = at
}

/** Where the first literal stands from `from` on, roughly: its window; `end` where there is none. */
export function nextLiteral(from: usize, end: usize): usize {
  const low0 = v128.load(tables, 0)
  const high0 = v128.load(tables, 16)
  const low1 = v128.load(tables, 32)
  const high1 = v128.load(tables, 48)
  const low2 = v128.load(tables, 64)
  const high2 = v128.load(tables, 80)
  const half = i8x16.splat(15)
  let at = from
  while (at < end) {
    const first = v128.load(at)
    const second = v128.load(at, 1)
    const third = v128.load(at, 2)
    const found = v128.and(
      v128.and(
        v128.and(i8x16.swizzle(low0, v128.and(first, half)), i8x16.swizzle(high0, i8x16.shr_u(first, 4))),
        v128.and(i8x16.swizzle(low1, v128.and(second, half)), i8x16.swizzle(high1, i8x16.shr_u(second, 4))),
      ),
      v128.and(i8x16.swizzle(low2, v128.and(third, half)), i8x16.swizzle(high2, i8x16.shr_u(third, 4))),
    )
    if (v128.any_true(found)) {
      v128.store(spill, found)
      let lanes = ~i8x16.bitmask(i8x16.eq(found, i8x16.splat(0))) & 0xffff
      while (lanes != 0) {
        const lane = ctz(lanes)
        lanes &= lanes - 1
        const window = at + lane
        if (window < end && isThere(window, from, end, load<u8>(spill + lane))) return window
      }
    }
    at += 16
  }
  return end
}

/** Whether a literal of these buckets stands with its window here, whole, between `from` and `end`. */
function isThere(window: usize, from: usize, end: usize, among: u32): bool {
  let rest = among
  while (rest != 0) {
    const bucket = ctz(rest)
    rest &= rest - 1
    let entry = list + ((<usize>load<u32>(buckets + (bucket << 3))) << 4)
    const last = entry + ((<usize>load<u32>(buckets + (bucket << 3), 4)) << 4)
    for (; entry < last; entry += 16) {
      const before = <usize>load<u32>(entry, 8)
      const length = <usize>load<u32>(entry, 4)
      if (window >= from + before && window - before + length <= end && same(window - before, load<u32>(entry), length))
        return true
    }
  }
  return false
}

function same(one: usize, other: usize, length: usize): bool {
  for (let index: usize = 0; index < length; index++) {
    if (load<u8>(one + index) != load<u8>(other + index)) return false
  }
  return true
}
