/** The grammar of `core/address.ts`, in numbers: a test holds the two together. */

/** The address that was read last, as four words in the order of its bytes; IPv4 as its IPv4-mapped form. */
const words = memory.data(16)
const groups = memory.data(16)

export function addressWords(): usize {
  return words
}

/** Whether the text is an address as `parseAddress` takes one. Then it is in the words. */
export function readAddress(from: usize, to: usize): bool {
  const value = readFour(from, to)
  // Without a colon there are never eight groups.
  if (value < 0) return readSix(from, to)
  store<u32>(words, 0)
  store<u32>(words, 0, 4)
  store<u32>(words, 0xffff, 8)
  store<u32>(words, <u32>value, 12)
  return true
}

/** Four decimal numbers without leading zeros; -1 where there are none. */
function readFour(from: usize, to: usize): i64 {
  let value: i64 = 0
  let part: u32 = 0
  let digits = 0
  let dots = 0
  for (let at = from; at < to; at++) {
    const code = <u32>load<u8>(at)
    const digit = code - 48
    if (digit < 10) {
      if (digits > 0 && part == 0) return -1
      part = part * 10 + digit
      if (++digits > 3 || part > 255) return -1
    } else {
      if (code != 0x2e || digits == 0 || ++dots > 3) return -1
      value = value * 256 + part
      part = 0
      digits = 0
    }
  }
  return dots == 3 && digits > 0 ? value * 256 + part : -1
}

/** RFC 4291, section 2.2. */
function readSix(from: usize, to: usize): bool {
  let count: u32 = 0
  let gap: i32 = -1
  let at = from
  if (at + 1 < to && load<u8>(at) == 0x3a && load<u8>(at, 1) == 0x3a) {
    gap = 0
    at += 2
  }
  memory.fill(groups, 0, 16)
  while (at < to) {
    if (count == 8) return false
    let value: u32 = 0
    let digits = 0
    let behind = at
    for (; behind < to; behind++) {
      const digit = hex(load<u8>(behind))
      if (digit < 0) break
      value = value * 16 + digit
      if (++digits > 4) return false
    }
    if (behind < to && load<u8>(behind) == 0x2e) {
      const quad = readFour(at, to)
      if (quad < 0 || count > 6) return false
      put(count++, <u32>(quad >> 16))
      put(count++, <u32>quad & 0xffff)
      at = to
      break
    }
    if (digits == 0) return false
    put(count++, value)
    at = behind
    if (at == to) break
    if (load<u8>(at++) != 0x3a) return false
    if (at < to && load<u8>(at) == 0x3a) {
      if (gap >= 0) return false
      gap = <i32>count
      at++
    } else if (at == to) return false
  }
  if (gap < 0 ? count != 8 : count == 8) return false
  write(count, gap)
  return true
}

function put(group: u32, value: u32): void {
  store<u16>(groups + (group << 1), <u16>value)
}

/** The groups as words, with the zeros that `::` stands for. */
function write(count: u32, gap: i32): void {
  for (let group: u32 = 0; group < 8; group++) {
    const missing = 8 - count
    let value: u32 = 0
    if (gap < 0 || group < <u32>gap) value = load<u16>(groups + (group << 1))
    else if (group >= <u32>gap + missing) value = load<u16>(groups + ((group - missing) << 1))
    const place = words + ((group >> 1) << 2)
    store<u32>(place, group & 1 ? load<u32>(place) | value : value << 16)
  }
}

function hex(code: u8): i32 {
  const digit = <i32>code - 48
  if (<u32>digit < 10) return digit
  const letter = (<i32>code | 0x20) - 0x61
  return <u32>letter < 6 && code < 0x80 ? letter + 10 : -1
}
