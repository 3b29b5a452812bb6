/** The functions of the Fail2ban that is installed, asked one question at a time in a Python process of our own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Command } from '../../../../core/fail2ban/tree/command.ts'
import { comparedEnvironment, comparedPython } from '../../../compared-fail2ban.ts'

/**
 * What the real program answers, or the name of the exception it throws: `MemoryError`, too, where options that use each
 * other grow without end.
 */
export type RealAnswer = { readonly value: unknown } | { readonly error: string }

/** Answers in the order of the questions. */
export class RealReader {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>

  constructor() {
    this.#child = spawn(comparedPython, ['-W', 'ignore', '-c', script], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, ...comparedEnvironment },
    })
    this.#lines = createInterface({ input: this.#child.stdout! })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  /** Asks a function by the name the script below has for it. */
  async ask(name: string, ...given: unknown[]): Promise<RealAnswer> {
    this.#child.stdin!.write(`${JSON.stringify([name, ...given])}\n`)
    const answer = await this.#answers.next()
    if (answer.done) throw new Error('the real reader has ended')
    return JSON.parse(answer.value) as RealAnswer
  }

  end(): void {
    this.#lines.close()
    this.#child.stdin!.end()
    this.#child.kill()
  }
}

/** Commands as they come back from the real reader. */
export function asAnswered(commands: readonly Command[]): unknown {
  const exact = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)
  return JSON.parse(JSON.stringify(commands, exact))
}

const script = `
import glob, json, logging, pprint, resource, shlex, signal, sys
logging.disable(logging.CRITICAL)
from fail2ban.client.configurator import Configurator
from fail2ban.helpers import extractOptions, splitWithOptions, splitwords, substituteRecursiveTags
from fail2ban.server.mytime import MyTime

resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
def late(*_):
    raise MemoryError('it takes too long')
signal.signal(signal.SIGVTALRM, late)

def stream(folder, forced):
    reader = Configurator(force_enable=forced)
    reader.setBaseDir(folder)
    reader.readAll()
    reader.getOptions(updateMainOpt=reader.getEarlyOptions())
    reader.convertToProtocol(allow_no_files=True)
    return reader.getConfigStream()

def seconds(text):
    value = MyTime.str2seconds(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError('no number')
    return value

def tags(texts, ignore):
    done = substituteRecursiveTags(texts, ignore=ignore)
    if any(len(text) > 1 << 20 for text in done.values()):
        raise ValueError('too long')
    return done

answers = {
    'stream': stream,
    'time': seconds,
    'options': lambda text: [list(one.items()) if isinstance(one, dict) else one for one in extractOptions(text)],
    'list': splitWithOptions,
    'words': splitwords,
    'shell': shlex.split,
    'int': int,
    'literal': repr,
    'pretty': lambda value: pprint.pformat(value, width=1000, indent=2),
    'json': json.dumps,
    'strip': lambda text: text.strip(),
    'glob': glob.glob,
    'tags': tags,
}

def answer(name, given):
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.4)
        try:
            return json.dumps({'value': answers[name](*given)})
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except Exception as error:
        return json.dumps({'error': '%s: %.300s' % (type(error).__name__, error)})

for line in sys.stdin:
    name, *given = json.loads(line)
    try:
        text = answer(name, given)
    except Exception:
        # Even its message is too long to be made.
        text = json.dumps({'error': 'MemoryError: it is too large'})
    print(text, flush=True)
`
