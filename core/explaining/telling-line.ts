/** Of all lines that name an address, the one that says most about why it is not banned. */
import type { LineExplanation } from './line-explanation.ts'
import type { MentioningLog, Mention } from './mentions.ts'

/** A line and what becomes of it. */
export interface ToldLine {
  /** The path of the log, or what it is called. */
  readonly log: string
  readonly explanation: LineExplanation
}

export type Explain = (mention: Mention, log: MentioningLog) => Promise<LineExplanation>

/** Lines that are explained at most: with many jails each takes some milliseconds. */
const mostExplained = 200

/**
 * The last line that a jail which is on matches, or would but for one thing; else such a line of a jail that is off, or of another mode;
 * else the last line of all. Null: there is none. Services write more about a client than its failures, so that the
 * last line alone says little.
 */
export async function mostTelling(logs: readonly MentioningLog[], explain: Explain): Promise<ToldLine | null> {
  let left = mostExplained
  let best: Ranked | null = null
  for (const log of logs) {
    let ofLog: Ranked | null = null
    for (const mention of log.mentions) {
      if (left-- <= 0 || ofLog?.rank === highest) break
      const explanation = await explain(mention, log)
      const rank = rankOf(explanation)
      if (ofLog === null || rank > ofLog.rank)
        ofLog = { log: log.log, explanation, rank, at: explanation.time ?? log.modifiedAt }
    }
    if (ofLog !== null && (best === null || ofLog.rank > best.rank || (ofLog.rank === best.rank && ofLog.at > best.at)))
      best = ofLog
  }
  return best
}

/** Whether a jail, on or off, has to do with the line. */
export function concernsJail(told: ToldLine | null): boolean {
  return told !== null && rankOf(told.explanation) > 0
}

interface Ranked extends ToldLine {
  readonly rank: number
  readonly at: number
}

const highest = 2

function rankOf({ jails }: LineExplanation): number {
  const [first] = jails
  if (first === undefined || !first.nearly) return 0
  return first.state === 'off' || ['log-not-read', 'wrong-mode'].includes(first.cause) ? 1 : highest
}
