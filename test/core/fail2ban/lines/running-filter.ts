/** The filter of the Fail2ban that is installed, running in Python: the other side of the tests of this room. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { FilterTexts } from '../../../../core/fail2ban/lines/filter-texts.ts'
import type { Moment } from '../../../../core/fail2ban/lines/moment.ts'
import type { JailFilterOptions } from '../../../../core/fail2ban/lines/jail-filter.ts'
import { comparedEnvironment, comparedPython } from '../../../compared-fail2ban.ts'

/** What the running program says of a line. */
export type Verdict =
  | { readonly failures: readonly RunningFailure[]; readonly ignored: readonly number[] }
  | { readonly error: string }

export interface RunningFailure {
  readonly rule: number
  /** `name NAME` where a name is to be looked up. */
  readonly id: string | null
  readonly time: number | null
  readonly groups: Readonly<Record<string, string | readonly (string | null)[]>>
  readonly users: readonly string[]
  readonly nofail: boolean
  readonly lines: readonly string[]
}

/** The part of the texts that files say. */
export type ReadTexts = Pick<FilterTexts, 'prefregex' | 'failregex' | 'ignoreregex' | 'maxlines' | 'datepattern'>

export interface RunningLine extends Moment {
  readonly text: string
}

export class RunningFail2ban {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting: ((answer: string) => void)[] = []
  #made = 0

  constructor(zone: string) {
    const script = fileURLToPath(new URL('../../../../../test/core/fail2ban/lines/running-filter.py', import.meta.url))
    this.#child = spawn(comparedPython, [script], {
      env: { ...process.env, ...comparedEnvironment, TZ: zone },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting.shift()?.(line))
  }

  /** The texts of a filter of a tree, with options as in brackets. */
  texts(folder: string, filter: string, options: Readonly<Record<string, string>> = {}): Promise<ReadTexts> {
    return this.#ask({ do: 'texts', folder, filter, options }) as Promise<ReadTexts>
  }

  /** Makes a filter; its lines are processed by what is answered. */
  async filter(
    texts: FilterTexts,
    now: number,
    options: JailFilterOptions = {},
  ): Promise<(lines: readonly RunningLine[]) => Promise<readonly Verdict[]>> {
    const id = ++this.#made
    await this.#ask({ do: 'filter', id, texts, now, ...options })
    return (lines) => this.#ask({ do: 'lines', id, lines }) as Promise<readonly Verdict[]>
  }

  decode(encoding: string, lines: readonly (readonly number[])[]): Promise<readonly string[]> {
    return this.#ask({ do: 'decode', encoding, lines }) as Promise<readonly string[]>
  }

  end(): void {
    this.#child.kill()
  }

  async #ask(request: object): Promise<unknown> {
    const answered = new Promise<string>((resolve) => this.#waiting.push(resolve))
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const { answer, error } = JSON.parse(await answered) as { answer: unknown; error?: string }
    if (error !== undefined) throw new Error(error)
    return answer
  }
}
