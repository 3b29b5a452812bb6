import { printable } from '../errors.ts'
import { failureOutput, type FailureOutput } from './failure-output.ts'
import { jsonLine } from './json-line.ts'
import { print } from './output.ts'
import { lineRecord } from './test-record.ts'
import { kindOf, type SeenLine, type TestOutput } from './tested-filter.ts'

/** `--json`: a record a line. `hasForms`: it is known which form each date has. */
export class Records implements TestOutput {
  readonly wants = 'lines'
  readonly #hasForms: boolean
  readonly #rows = new Rows()

  constructor(hasForms: boolean) {
    this.#hasForms = hasForms
  }

  take(line: SeenLine): void {
    this.#rows.add(jsonLine(lineRecord(line, this.#hasForms)))
  }

  pieceTold(): void {
    this.#rows.print()
  }

  end(): void {
    this.#rows.print()
  }
}

/** `-o FORMAT`: what is asked for of each failure. */
export class FailureLines implements TestOutput {
  readonly wants = 'failures'
  readonly #output: FailureOutput
  readonly #rows = new Rows()

  constructor(format: string) {
    this.#output = failureOutput(format)
  }

  take({ failures }: SeenLine): void {
    for (const failure of failures) if (!failure.nofail) for (const row of this.#output(failure)) this.#rows.add(row)
  }

  pieceTold(): void {
    this.#rows.print()
  }

  end(): void {
    this.#rows.print()
  }
}

/** `--invert`: the lines that tell of no failure, as they stand in the log. */
export class OtherLines implements TestOutput {
  readonly wants = 'lines'
  readonly #rows = new Rows()

  take(line: SeenLine): void {
    if (kindOf(line) !== 'matched') this.#rows.add(printable(line.text))
  }

  pieceTold(): void {
    this.#rows.print()
  }

  end(): void {
    this.#rows.print()
  }
}

/** Rows are written some at a time, for a call for each takes longer than a line. */
class Rows {
  #text = ''

  add(row: string): void {
    this.#text += this.#text === '' ? row : `\n${row}`
    if (this.#text.length > mostHeld) this.print()
  }

  print(): void {
    if (this.#text !== '') print(this.#text)
    this.#text = ''
  }
}

const mostHeld = 1 << 16
