import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'

/** An expression and the texts that it is searched in. */
export interface Trial {
  readonly pattern: string
  readonly multiline?: boolean
  readonly texts: readonly string[]
}

export type Span = readonly [start: number, end: number] | null

/**
 * What Python says: why it refuses the expression; that it takes too long; or its groups and, for each text, the spans in
 * UTF-16 units.
 */
export type Verdict =
  | { readonly refused: string }
  | { readonly slow: true }
  | { readonly names: readonly string[]; readonly groups: number; readonly found: readonly (readonly Span[] | null)[] }

const program = `
import json, re, signal, sys, warnings
warnings.simplefilter('ignore')
class Slow(Exception): pass
def slow(*_): raise Slow()
signal.signal(signal.SIGALRM, slow)
def units(text):
    if all(c < '\\U00010000' for c in text): return lambda at: at
    return lambda at: len(text[:at].encode('utf-16-le', 'surrogatepass')) // 2
def spans(text, found):
    if found is None: return None
    unit = units(text)
    return [None if a < 0 else (unit(a), unit(b)) for a, b in found.regs]
def verdict(trial):
    try: compiled = re.compile(trial['pattern'], re.M if trial.get('multiline') else 0)
    except (re.error, OverflowError, ValueError, RecursionError) as error: return dict(refused=str(error))
    names = sorted(compiled.groupindex, key=compiled.groupindex.get)
    return dict(names=names, groups=compiled.groups, found=[spans(t, compiled.search(t)) for t in trial['texts']])
def bounded(trial):
    try:
        signal.setitimer(signal.ITIMER_REAL, 2)
        return verdict(trial)
    except (Slow, SystemError): return dict(slow=True)
    finally: signal.setitimer(signal.ITIMER_REAL, 0)
for line in sys.stdin:
    print(json.dumps([bounded(trial) for trial in json.loads(line)]), flush=True)
`

/** A Python that goes on running: one question, a list of trials, is one line each way. */
export class RealPython {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface

  constructor(command = 'python3') {
    this.#child = spawn(command, ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout === null) throw new Error('Python has no output')
    this.#reader = createInterface({ input: stdout })
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  async ask(trials: readonly Trial[]): Promise<Verdict[]> {
    this.#child.stdin?.write(`${asciiJson(trials)}\n`)
    const line = await this.#lines.next()
    if (line.done === true) throw new Error('Python has ended')
    return JSON.parse(line.value) as Verdict[]
  }

  /** Before 3.11.5 a possessive repetition of more than one character may keep what failed (CPython, gh-106052). */
  async hasPossessiveBug(): Promise<boolean> {
    const [verdict] = await this.ask([{ pattern: '(?:ab?c)?+a', texts: ['aba'] }])
    return !JSON.stringify(verdict).includes('[[[0,1]]]')
  }

  end(): void {
    this.#reader.close()
    this.#child.stdin?.end()
  }
}

/** Python reads its input in the encoding of the machine. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
