import * as assert from 'uvu/assert'
import type { Intake } from '../../core/intake/intake.ts'
import type { SourcePlugin } from '../../core/plugin.ts'
import { intakeFor, Seen, silent, sourceOf, until } from '../core/intake/lines.ts'
import { suite } from '../suite.ts'
import { optionIssues } from './options.ts'

/** What the plugin under test reads. */
export interface SourceSubject {
  readonly options: unknown
  /** Appends text to what the source reads. */
  readonly write: (text: string) => void | Promise<void>
  /** Whether it goes on where it was, also with what is written while no agent runs. */
  readonly resumes?: true
  /** What of a line that arrives was written; unless said, all of it. */
  readonly textOf?: (line: string) => string
}

/**
 * What every source keeps, whether it follows files or emits bytes, run by the real intake: lines written
 * on the other side arrive once and in order, a slow agent loses none, and a stop ends it. One that resumes
 * brings each line once however agents end.
 */
export function sourceContract(name: string, plugin: SourcePlugin, subject: SourceSubject): void {
  const test = suite(`source ${name} keeps the contract`)

  test('its options are checked', async () => {
    assert.equal(await optionIssues(plugin.options, subject.options), [])
    assert.ok((await optionIssues(plugin.options, { ...(subject.options as object), surprise: 1 })).length > 0)
  })

  test('lines arrive once, in order, whole', () =>
    running(name, plugin, subject, async (seen) => {
      for (const text of ['one\n', 'two\nthr', 'ee\n', 'four\n']) await subject.write(text)
      await until(
        () => seen.lines.includes('four'),
        () => seen.lines,
      )
      assert.equal(seen.lines.filter(isNoProbe), ['one', 'two', 'three', 'four'])
    }))

  test('a slow agent loses nothing, and after a stop nothing more arrives', () =>
    running(name, plugin, subject, async (seen, intake) => {
      let open = () => {}
      seen.gate = new Promise((resolve) => (open = resolve))
      try {
        for (let i = 0; i < 200; i++) await subject.write(`slow ${i}\n`)
      } finally {
        seen.gate = null
        open()
      }
      await until(
        () => seen.lines.includes('slow 199'),
        () => seen.lines.length,
      )
      assert.equal(
        seen.lines.filter((line) => line.startsWith('slow')),
        Array.from({ length: 200 }, (_, i) => `slow ${i}`),
      )
      await intake.stop()
      const count = seen.lines.length
      await subject.write('after the stop\n')
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.is(seen.lines.length, count)
    }))

  if (subject.resumes)
    test('whatever is written while no agent runs, and however agents end, each line arrives once', () =>
      running(name, plugin, subject, async (first, intake) => {
        let [seen, current] = [first, intake]
        for (let round = 0; round < 4; round++) {
          const lines = Array.from({ length: 100 }, (_, i) => `round ${round}, line ${i}\n`)
          for (let i = 0; i < lines.length; i += 10) await subject.write(lines.slice(i, i + 10).join(''))
          // As kill -9 leaves it: with what was kept beside the lines that had been scanned.
          const kept = seen.killed()
          await current.stop()
          await subject.write(`down in round ${round}\n`)
          ;[seen, current] = [kept, intakeFor(kept)]
          await current.configure([sourceOf(name, plugin, subject.options, 'sshd')])
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
        assert.equal(
          seen.lines.filter((line) => /^(?:round|down in round)/.test(line)),
          expected,
        )
      }))
  test.run()
}

const isNoProbe = (line: string) => !line.startsWith('probe ')

/**
 * Runs `body` while the source runs and its lines arrive, and stops it in any case: a test that fails must
 * not keep the process alive. A source that fails, or does not stop when it is told, fails the test.
 */
async function running(
  name: string,
  plugin: SourcePlugin,
  { options, write, textOf }: SourceSubject,
  body: (seen: Seen, intake: Intake) => Promise<void>,
): Promise<void> {
  const seen = new Seen(textOf)
  const intake = intakeFor(seen)
  const source = sourceOf(name, plugin, options, 'sshd')
  const warnings: string[] = []
  const log = { ...silent, warn: (_: object, message: string) => void warnings.push(message) }
  try {
    await intake.configure([{ ...source, host: (parts) => ({ ...source.host(parts), log }) }])
    await untilLinesArrive(seen, write)
    await body(seen, intake)
  } finally {
    await intake.stop()
  }
  assert.equal([...seen.alarms, ...warnings], [])
}

/** What is written before a source has begun may be lost, and nothing but a line that arrives shows that it has. */
async function untilLinesArrive(seen: Seen, write: SourceSubject['write']): Promise<void> {
  for (let i = 0; i < 200 && seen.lines.every(isNoProbe); i++) {
    await write(`probe ${i}\n`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.not(seen.lines.every(isNoProbe), `of 200 lines none arrived; ${seen.alarms.join('; ')}`)
}
