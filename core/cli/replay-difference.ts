import type { ReplayedBan } from '../replaying/replay.ts'
import type { ReplayRun } from '../replaying/run-replay.ts'
import { counted, print, styled } from './output.ts'
import { banLines, banTable, lengthText, timeText } from './replay-report.ts'
import type { ReplayOptions } from './replay.ts'

/** Bans of each side that are compared; beyond, the rest is left out, and told. */
const mostCompared = 500_000
/** Bans of each side that keep their lines. */
const mostWithLines = 20_000

/** A ban of before and what became of it. */
export interface ChangedBan {
  readonly before: ReplayedBan
  readonly after: ReplayedBan
}

/** What another configuration would do otherwise. Each list in the order of time. */
export interface Difference {
  readonly gained: readonly ReplayedBan[]
  readonly lost: readonly ReplayedBan[]
  readonly changed: readonly ChangedBan[]
  readonly same: number
}

/** Gathers the bans of two replays and prints in what they differ. */
export class DifferenceReport {
  readonly #options: ReplayOptions
  readonly #before = new Gathered()
  readonly #after = new Gathered()

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  get before(): Pick<ReplayRun, 'onBan' | 'onUnban'> {
    return { onBan: (ban) => this.#before.add(ban), onUnban: () => {} }
  }

  get after(): Pick<ReplayRun, 'onBan' | 'onUnban'> {
    return { onBan: (ban) => this.#after.add(ban), onUnban: () => {} }
  }

  end(stopped: boolean): void {
    const difference = compareBans(this.#before.bans, this.#after.bans)
    if (this.#options.json) printJson(difference, stopped)
    else this.#printText(difference)
    const left = this.#before.left + this.#after.left
    if (left > 0)
      process.stderr.write(`bailiff: ${counted(left, 'ban')} beyond the first ${mostCompared} were not compared\n`)
    if (stopped) process.stderr.write('bailiff: it was interrupted, so this is not all\n')
  }

  #printText({ gained, lost, changed, same }: Difference): void {
    const list = (bans: readonly ReplayedBan[]) =>
      this.#options.lines === true ? bans.map(banLines).join('\n') : banTable(bans)
    if (gained.length > 0) print(`${styled('green', `Gained: ${counted(gained.length, 'ban')}`)}\n${list(gained)}\n`)
    if (lost.length > 0) print(`${styled('red', `Lost: ${counted(lost.length, 'ban')}`)}\n${list(lost)}\n`)
    if (changed.length > 0) {
      print(styled('yellow', `Changed: ${counted(changed.length, 'ban')}`))
      print(`${changed.map((one) => changeText(one, this.#options.lines === true)).join('\n')}\n`)
    }
    print(`${gained.length} gained, ${lost.length} lost, ${changed.length} changed, ${same} the same`)
  }
}

/**
 * Pairs the bans of the same prefix by the same jail whose times overlap; what has no partner was gained
 * or lost. A pair that begins and ends at the same times is the same.
 */
export function compareBans(before: readonly ReplayedBan[], after: readonly ReplayedBan[]): Difference {
  const waiting = new Map<string, ReplayedBan[]>()
  for (const ban of before) {
    const key = keyOf(ban)
    const some = waiting.get(key)
    if (some === undefined) waiting.set(key, [ban])
    else some.push(ban)
  }
  const gained: ReplayedBan[] = []
  const changed: ChangedBan[] = []
  let same = 0
  for (const ban of after) {
    const some = waiting.get(keyOf(ban)) ?? []
    const at = some.findIndex((other) => overlap(other, ban))
    const [partner] = at < 0 ? [] : some.splice(at, 1)
    if (partner === undefined) gained.push(ban)
    else if (isSame(partner, ban)) same++
    else changed.push({ before: partner, after: ban })
  }
  const lost = [...waiting.values()].flat().toSorted((a, b) => a.since - b.since)
  return { gained, lost, changed, same }
}

class Gathered {
  readonly bans: ReplayedBan[] = []
  left = 0

  add(ban: ReplayedBan): void {
    if (this.bans.length >= mostCompared) this.left++
    else this.bans.push(this.bans.length < mostWithLines ? ban : { ...ban, lines: [] })
  }
}

function keyOf({ prefix, jail }: ReplayedBan): string {
  return `${prefix} ${jail}`
}

function overlap(one: ReplayedBan, other: ReplayedBan): boolean {
  return one.since < (other.until ?? Infinity) && other.since < (one.until ?? Infinity)
}

function isSame(one: ReplayedBan, other: ReplayedBan): boolean {
  return one.since === other.since && one.until === other.until && one.observed === other.observed
}

function changeText({ before, after }: ChangedBan, withLines: boolean): string {
  const times = [before, after].map((ban) => `${timeText(ban.since)} for ${lengthText(ban)}`)
  const observed = before.observed === after.observed ? '' : after.observed ? ', only observed now' : ', enforced now'
  const head = `${after.prefix}  ${after.jail}: ${times[0]} becomes ${times[1]}${observed}`
  return withLines ? [head, ...after.lines.map((line) => `    ${line}`)].join('\n') : head
}

function printJson({ gained, lost, changed, same }: Difference, stopped: boolean): void {
  for (const ban of gained) print(JSON.stringify({ type: 'gained', ...ban }))
  for (const ban of lost) print(JSON.stringify({ type: 'lost', ...ban }))
  for (const { before, after } of changed) print(JSON.stringify({ type: 'changed', before, after }))
  const counts = { gained: gained.length, lost: lost.length, changed: changed.length, same }
  print(JSON.stringify({ type: 'summary', ...counts, complete: !stopped }))
}
