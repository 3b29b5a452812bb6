import { print } from './output.ts'
import type { TestOutput, TestTally } from './tested-filter.ts'

/** `--summary`: the tally, and the processor time since this was made. */
export class Summary implements TestOutput {
  readonly wants = 'counts'
  readonly #tally: TestTally
  readonly #cpu = process.cpuUsage()

  constructor(tally: TestTally) {
    this.#tally = tally
  }

  take(): void {}

  pieceTold(): void {}

  end(): void {
    const { user, system } = process.cpuUsage(this.#cpu)
    print(`${tallyText(this.#tally)}, CPU ${((user + system) / 1e6).toFixed(3)} s`)
  }
}

/** What was read, in a line: `lines 4, matches 3, ignored 0, skipped 0, bytes 310`. */
export function tallyText({ lines, matches, ignored, skipped, malformed, bytes, addresses }: TestTally): string {
  return [
    `lines ${lines}`,
    `matches ${matches}`,
    ...(ignored === null ? [] : [`ignored ${ignored}`]),
    ...(skipped === null ? [] : [`skipped ${skipped}`]),
    ...(malformed === null ? [] : [`malformed ${malformed}`]),
    ...(bytes === null ? [] : [`bytes ${bytes}`]),
    ...(addresses === null ? [] : [`addresses ${addresses}`]),
  ].join(', ')
}
