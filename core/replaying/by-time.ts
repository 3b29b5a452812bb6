import type { FilterHit, Match } from '../events.ts'

/** What a line matched: in a jail of ours, or in one of a Fail2ban tree. */
export type Found = Match | FilterHit

/** What the lines of a log matched, in their order, some at a time. */
export type FoundStream = AsyncIterable<readonly Found[]>

/**
 * Hands over what was found in several logs in the order of its times; that of one log stays in its order. Holds one part
 * of each log. `take` is called for each, and the next one waits for it; when `stopped` says so, no more follow.
 */
export async function mergeByTime(
  streams: readonly FoundStream[],
  take: (found: Found) => Promise<void> | undefined,
  stopped: () => boolean,
): Promise<void> {
  const open = (await Promise.all(streams.map((stream) => begin(stream)))).filter((head) => head !== null)
  while (open.length > 0 && !stopped()) {
    const [first, until] = earliest(open)
    while (first.at < first.part.length && first.time <= until) {
      const match = first.part[first.at++]
      const taken = match === undefined ? undefined : take(match)
      if (taken !== undefined) await taken
      first.time = timeAt(first)
    }
    if (first.at >= first.part.length && !(await refill(first))) open.splice(open.indexOf(first), 1)
  }
  await Promise.all(open.map(({ parts }) => parts.return?.()))
}

interface Head {
  readonly parts: AsyncIterator<readonly Found[]>
  part: readonly Found[]
  at: number
  /** Of the next match; one without a date comes right behind the one before it. */
  time: number
}

async function begin(stream: FoundStream): Promise<Head | null> {
  const head: Head = { parts: stream[Symbol.asyncIterator](), part: [], at: 0, time: -Infinity }
  return (await refill(head)) ? head : null
}

/** False at the end of the log. */
async function refill(head: Head): Promise<boolean> {
  for (;;) {
    const next = await head.parts.next()
    if (next.done) return false
    if (next.value.length === 0) continue
    head.part = next.value
    head.at = 0
    head.time = timeAt(head)
    return true
  }
}

function timeAt({ part, at, time }: Head): number {
  return part[at]?.time ?? time
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
