import { setTimeout as sleep } from 'node:timers/promises'
import type { Intake, IntakeSource } from '../intake/intake.ts'
import type { SourceHost, SourcePlugin } from '../plugin.ts'
import { ensureFunctions } from './call-checks.ts'
import { ensure, ensureSame, type Check } from './check.ts'
import { optionChecks, readOptions } from './option-checks.ts'
import { intakeFor, Seen, sourceOf, until } from './seen-lines.ts'
import { testHost, type Logged } from './test-host.ts'

/** What the source under test reads. */
export interface SourceSubject {
  /** As they would stand in the configuration. */
  readonly options?: unknown
  /** Appends text to what the source reads. Without it the suite sees only whether the source starts and stops. */
  readonly write?: (text: string) => void | Promise<void>
  /** Whether it goes on where it was, also with what is written while no agent runs. */
  readonly resumes?: boolean
  /** What of a line that arrives was written; unless said, all of it. */
  readonly textOf?: (line: string) => string
}

type Write = NonNullable<SourceSubject['write']>

/** A source that ends later is not waited for. */
const stopWithinMs = 5000

/**
 * What every source keeps, whether it follows files or emits bytes, run by the agent's own intake: lines written
 * on the other side arrive once and in order, a slow agent loses none, and a stop ends it. One that resumes
 * brings each line once however agents end.
 */
export function sourceChecks(plugin: SourcePlugin, subject: SourceSubject = {}): Check[] {
  const { write } = subject
  const remedy = 'await emit(bytes) for each piece, in order, and emit nothing twice'
  return [
    {
      name: 'it has the functions of a source',
      remedy: 'export default { async start(emit, host) {…} }',
      run: async () => ensureFunctions(plugin, ['start'], ['stop']),
    },
    ...optionChecks(plugin, subject.options ?? {}),
    {
      name: 'it starts, and ends when it is told to',
      remedy: 'let start() return, or run until host.signal aborts; give the signal to what it waits for',
      run: () => startAndStop(plugin, subject),
    },
    ...(write === undefined ? [] : lineChecks(plugin, subject, write, remedy)),
  ]
}

function lineChecks(plugin: SourcePlugin, subject: SourceSubject, write: Write, remedy: string): Check[] {
  const resuming: Check = {
    name: 'whatever is written while no agent runs, and however agents end, each line arrives once',
    remedy: 'emit whole lines with a cursor each, and begin behind host.cursor()',
    run: () => running(plugin, subject, write, (seen, intake) => killedAgain(plugin, subject, write, seen, intake)),
  }
  return [
    {
      name: 'lines arrive once, in order, whole',
      remedy,
      run: () =>
        running(plugin, subject, write, async (seen) => {
          for (const text of ['one\n', 'two\nthr', 'ee\n', 'four\n']) await write(text)
          await until(
            () => seen.lines.includes('four'),
            () => seen.lines,
          )
          ensureSame(
            seen.lines.filter((line) => !isProbe(line)),
            ['one', 'two', 'three', 'four'],
            'the lines that arrived',
          )
        }),
    },
    {
      name: 'a slow agent loses nothing, and after a stop nothing more arrives',
      remedy: `${remedy}; emit nothing after host.signal was aborted`,
      run: () => running(plugin, subject, write, (seen, intake) => slowly(write, seen, intake)),
    },
    ...(subject.resumes === true ? [resuming] : []),
  ]
}

async function slowly(write: Write, seen: Seen, intake: Intake): Promise<void> {
  let open = () => {}
  seen.gate = new Promise((resolve) => (open = resolve))
  try {
    for (let i = 0; i < 200; i++) await write(`slow ${i}\n`)
  } finally {
    seen.gate = null
    open()
  }
  await until(
    () => seen.lines.includes('slow 199'),
    () => seen.lines.length,
  )
  const expected = Array.from({ length: 200 }, (_, i) => `slow ${i}`)
  ensureSame(
    seen.lines.filter((line) => line.startsWith('slow')),
    expected,
    'the lines that arrived',
  )
  await intake.stop()
  const count = seen.lines.length
  await write('after the stop\n')
  await sleep(300)
  ensureSame(seen.lines.length, count, 'the number of lines after the stop')
}

/** Four agents, one after the other, each killed amid lines. */
async function killedAgain(
  plugin: SourcePlugin,
  subject: SourceSubject,
  write: Write,
  first: Seen,
  intake: Intake,
): Promise<void> {
  let [seen, current] = [first, intake]
  for (let round = 0; round < 4; round++) {
    const lines = Array.from({ length: 100 }, (_, i) => `round ${round}, line ${i}\n`)
    for (let i = 0; i < lines.length; i += 10) await write(lines.slice(i, i + 10).join(''))
    // As kill -9 leaves it: with what was kept beside the lines that had been scanned.
    const kept = seen.killed()
    await current.stop()
    await write(`down in round ${round}\n`)
    ;[seen, current] = [kept, intakeFor(kept)]
    await current.configure([await hosted(plugin, subject, () => {})])
  }
  try {
    await until(
      () => seen.lines.includes('down in round 3'),
      () => seen.lines.length,
    )
  } finally {
    await current.stop()
  }
  const expected = [0, 1, 2, 3].flatMap((round) => [
    ...Array.from({ length: 100 }, (_, i) => `round ${round}, line ${i}`),
    `down in round ${round}`,
  ])
  ensureSame(
    seen.lines.filter((line) => /^(?:round|down in round)/.test(line)),
    expected,
    'the lines that arrived',
  )
}

async function startAndStop(plugin: SourcePlugin, subject: SourceSubject): Promise<void> {
  const trouble: string[] = []
  const seen = new Seen()
  const intake = intakeFor(seen)
  const source = await hosted(plugin, subject, ({ message }) => trouble.push(message))
  await intake.configure([source])
  await sleep(100)
  const started = performance.now()
  await intake.stop()
  const took = performance.now() - started
  source.ensureNoFailure()
  ensure(took < stopWithinMs, `it did not end within ${stopWithinMs / 1000} s after host.signal was aborted`)
  ensureSame([...seen.alarms, ...trouble], [], 'what was warned of')
}

/**
 * Runs `body` while the source runs and its lines arrive, and stops it in any case: a check that fails must
 * not keep the process alive. A source that fails, or does not stop when it is told, fails the check.
 */
async function running(
  plugin: SourcePlugin,
  subject: SourceSubject,
  write: Write,
  body: (seen: Seen, intake: Intake) => Promise<void>,
): Promise<void> {
  const seen = new Seen(subject.textOf)
  const intake = intakeFor(seen)
  const warnings: string[] = []
  const heard = ({ level, message }: Logged) => level === 'warn' && warnings.push(message)
  const source = await hosted(plugin, subject, heard)
  try {
    await intake.configure([source])
    await untilLinesArrive(seen, write)
    await body(seen, intake)
  } catch (error) {
    // Why it failed says more than that its lines are missing.
    source.ensureNoFailure()
    throw error
  } finally {
    await intake.stop()
  }
  source.ensureNoFailure()
  ensureSame([...seen.alarms, ...warnings], [], 'what was warned of')
}

/** The source as the agent would run it. `ensureNoFailure` throws what its `start` threw first. */
async function hosted(
  plugin: SourcePlugin,
  { options }: SourceSubject,
  heard: (line: Logged) => void,
): Promise<IntakeSource & { ensureNoFailure(): void }> {
  const { host } = testHost(await readOptions(plugin.options, options ?? {}), { heard })
  const failures: unknown[] = []
  const telling: SourcePlugin = {
    start: async (emit, given) => {
      try {
        await plugin.start(emit, given)
      } catch (error) {
        if (!given.signal.aborted) failures.push(error)
        throw error
      }
    },
    ...(plugin.stop && { stop: (given) => plugin.stop?.(given) }),
  }
  return {
    ...sourceOf('under-test', telling, host.options, 'sshd'),
    host: (parts) => Object.create(host, Object.getOwnPropertyDescriptors(parts)) as SourceHost,
    ensureNoFailure: () => {
      if (failures.length > 0) throw failures[0]
    },
  }
}

/** What is written before a source has begun may be lost, and nothing but a line that arrives shows that it has. */
async function untilLinesArrive(seen: Seen, write: Write): Promise<void> {
  for (let i = 0; i < 200 && !seen.lines.some(isProbe); i++) {
    await write(`probe ${i}\n`)
    await sleep(50)
  }
  ensure(seen.lines.some(isProbe), `of 200 lines none arrived; ${seen.alarms.join('; ')}`)
}

/** Probes are written until the first of them arrives: it shows that the source runs. */
function isProbe(line: string): boolean {
  return line.startsWith('probe ')
}
