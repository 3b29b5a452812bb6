import type { Ban } from '../events.ts'
import type { ReplayedBan } from '../replaying/replay.ts'
import type { ReplayOutcome, ReplayRun } from '../replaying/run-replay.ts'
import { counted, duration, print, styled } from './output.ts'
import { table } from './table.ts'

/** Bans that are held until the end, for a table: each has up to ten lines. */
const mostShown = 10_000

/** Writes each ban as it comes; memory stays the same whatever comes. */
export class JsonReport {
  readonly listeners: Pick<ReplayRun, 'onBan' | 'onUnban' | 'onProlonged'> = {
    onProlonged: ({ prefix, jail, since, until }) =>
      print(JSON.stringify({ type: 'prolonged', prefix, jail, since, until })),
    onBan: (ban) => print(JSON.stringify({ type: 'ban', time: ban.since, ...ban })),
    onUnban: ({ prefix, jail, until }) => print(JSON.stringify({ type: 'unban', time: until, prefix, jail })),
  }

  end(outcome: ReplayOutcome, stopped: boolean): void {
    print(JSON.stringify({ type: 'summary', ...outcome, complete: !stopped }))
  }
}

/** Gathers the bans and prints them as a table, and the sums of each jail. */
export class TextReport {
  readonly #bans: ReplayedBan[] = []
  readonly #withLines: boolean
  #left = 0

  constructor(withLines: boolean) {
    this.#withLines = withLines
  }

  readonly listeners: Pick<ReplayRun, 'onBan' | 'onUnban'> = {
    onBan: (ban) => {
      if (this.#bans.length < mostShown) this.#bans.push(this.#withLines ? ban : { ...ban, lines: [] })
      else this.#left++
    },
    onUnban: () => {},
  }

  end(outcome: ReplayOutcome, stopped: boolean): void {
    if (this.#bans.length > 0)
      print(`${this.#withLines ? this.#bans.map(banLines).join('\n') : banTable(this.#bans)}\n`)
    if (this.#left > 0) print(`… and ${this.#left} more bans; --json lists all\n`)
    print(totalsTable(outcome))
    print(`\n${closing(outcome)}`)
    if (outcome.undated > 0)
      print(`${counted(outcome.undated, 'failure')} did not count: their lines have no date, and none came before them`)
    if (stopped) print(styled('yellow', 'This is what was found until it was interrupted.'))
  }
}

/** When a ban began, whom it bans, for how long and why, one row each. */
export function banTable(bans: readonly ReplayedBan[]): string {
  return table(
    ['BANNED AT', 'ADDRESS', 'JAIL', 'FOR', 'UNTIL', 'TIMES', 'FAILURES'],
    bans.map((ban) => [
      timeText(ban.since),
      ban.prefix,
      ban.observed ? `${ban.jail} (observes)` : ban.jail,
      lengthText(ban),
      ban.until === null ? 'for ever' : timeText(ban.until),
      ban.count,
      ban.failures,
    ]),
  )
}

/** A ban in a sentence, and the lines that led to it, with what found them. */
export function banLines(ban: ReplayedBan): string {
  const { since, prefix, jail, count, failures, observed, lines, rules } = ban
  const would = observed ? `, which only observes` : ''
  const head = `${timeText(since)}  ${prefix}  ${jail}${would}: for ${lengthText(ban)}, ban ${count}, ${counted(failures, 'failure')}`
  const places = rules === undefined ? [] : [...new Set(rules)].filter(Boolean).map((rule) => rule.replace(/ \w+$/, ''))
  return [
    styled('bold', head),
    ...lines.map((line) => `    ${line}`),
    ...(places.length > 0 ? [styled('dim', `    found by ${places.join(', ')}`)] : []),
  ].join('\n')
}

export function lengthText({ since, until }: Pick<Ban, 'since' | 'until'>): string {
  return until === null ? 'ever' : duration(until - since)
}

export function timeText(time: number): string {
  return new Date(time).toISOString().replace(/\.000Z$/, 'Z')
}

function totalsTable({ totals }: ReplayOutcome): string {
  return table(
    ['JAIL', 'FAILURES', 'IGNORED', 'BANS', 'ADDRESSES', 'LINES AFTER BAN'],
    totals.map(({ jail, failures, ignored, bans, addresses, afterBan }) => [
      jail,
      failures,
      ignored,
      bans,
      addresses,
      afterBan,
    ]),
  )
}

function closing({ lines, skipped, end, inForce }: ReplayOutcome): string {
  const passed = skipped > 0 ? `, ${skipped} passed over` : ''
  const last =
    end === 0
      ? ''
      : `; the last that counted is of ${timeText(end)}, and then ${counted(inForce, 'ban')} would be in force`
  return `${counted(lines, 'line')} read${passed}${last}`
}
