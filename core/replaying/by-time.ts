import type { FoundPart } from './found-part.ts'

/** What the lines of a log matched, in their order, some at a time. */
export type FoundStream = AsyncIterable<FoundPart>

/**
 * Hands over what was found in several logs in the order of its times; that of one log stays in its order. Holds one part
 * of each log. `take` is called with the part that stands at the next, and has to be done before it goes on; when `stopped`
 * says so, no more follow.
 */
export async function mergeByTime(
  streams: readonly FoundStream[],
  take: (found: FoundPart) => Promise<void> | undefined,
  stopped: () => boolean,
): Promise<void> {
  const open = (await Promise.all(streams.map((stream) => begin(stream)))).filter((head) => head !== null)
  while (open.length > 0 && !stopped()) {
    const [first, until] = earliest(open)
    const { part } = first
    while (!part.ended && first.time <= until) {
      const taken = take(part)
      if (taken !== undefined) await taken
      part.next()
      first.time = timeAt(first)
    }
    if (part.ended && !(await refill(first))) open.splice(open.indexOf(first), 1)
  }
  await Promise.all(open.map(({ parts }) => parts.return?.()))
}

interface Head {
  readonly parts: AsyncIterator<FoundPart>
  part: FoundPart
  /** Of the next match; one without a date comes right behind the one before it. */
  time: number
}

/** Null where nothing was found. */
async function begin(stream: FoundStream): Promise<Head | null> {
  const parts = stream[Symbol.asyncIterator]()
  const part = await nextPart(parts)
  return part === null ? null : { parts, part, time: part.time ?? -Infinity }
}

/** False at the end of the log. */
async function refill(head: Head): Promise<boolean> {
  const part = await nextPart(head.parts)
  if (part === null) return false
  head.part = part
  head.time = timeAt(head)
  return true
}

async function nextPart(parts: AsyncIterator<FoundPart>): Promise<FoundPart | null> {
  for (;;) {
    const next = await parts.next()
    if (next.done) return null
    if (!next.value.ended) return next.value
  }
}

function timeAt({ part, time }: Head): number {
  return part.ended ? time : (part.time ?? time)
}

/** The log whose next match is the earliest, and the time of the next match of the others. */
function earliest(open: readonly Head[]): [Head, number] {
  let [first, until] = [open[0], Infinity]
  for (const head of open) {
    if (head === first || first === undefined) continue
    if (head.time < first.time) [first, until] = [head, first.time]
    else until = Math.min(until, head.time)
  }
  if (first === undefined) throw new Error('no log is open')
  return [first, until]
}
