/** Rounds, and lines in each. */
const rounds = 200
const linesOfRound = 25
const longestLine = 65_536

/** Blocks of lines that were made of these by changing, cutting, doubling and mixing; the same for the same seed. */
export function* changedLines(given: readonly Uint8Array[], seed: number): Iterable<Buffer[]> {
  const below = numbers(seed)
  const short = given.map((line) => Buffer.from(line)).filter((line) => line.length < 2000)
  for (let round = 0; round < rounds; round++)
    yield Array.from({ length: linesOfRound }, () => {
      let line = pick(short, below)
      for (let changes = 1 + below(4); changes > 0; changes--) line = changed(line, short, below)
      return line.subarray(0, longestLine)
    })
}

type Below = (limit: number) => number

function changed(line: Buffer, all: readonly Buffer[], below: Below): Buffer {
  const at = below(line.length + 1)
  const to = at + below(line.length - at + 1)
  switch (below(7)) {
    case 0:
      return Buffer.concat([line.subarray(0, at), Buffer.of(anyByte(below)), line.subarray(at + 1)])
    case 1:
      return line.subarray(0, at)
    case 2:
      return line.subarray(at)
    case 3:
      return Buffer.concat([line.subarray(0, at), line.subarray(to)])
    case 4:
      return Buffer.concat([line.subarray(0, to), line.subarray(at)])
    case 5:
      return Buffer.concat([line.subarray(0, at), pick(all, below).subarray(below(20)), line.subarray(to)])
    default:
      return Buffer.concat([line.subarray(0, at), Buffer.alloc(below(300), anyByte(below)), line.subarray(at)])
  }
}

/** Any but the newline, which would make two lines of one. */
function anyByte(below: Below): number {
  const byte = below(3) === 0 ? ([0, 0x0d, 0x20, 0x22, 0x2e, 0x3a, 0x5c, 0x7c, 0x80, 0xff][below(10)] ?? 0) : below(256)
  return byte === 0x0a ? 0x0b : byte
}

function pick(all: readonly Buffer[], below: Below): Buffer {
  return all[below(all.length)] ?? Buffer.alloc(0)
}

/** Numbers of chance (mulberry32). */
function numbers(seed: number): Below {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}
