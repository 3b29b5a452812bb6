import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { appendFileSync, copyFileSync, existsSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FilePosition } from '../../../core/events.ts'
import type { Intake } from '../../../core/intake/intake.ts'
import { suite } from '../../suite.ts'
import { following, inFolder, intakeFor, Seen, until, ofFiles } from './lines.ts'

const test = suite('model')

type Step = 'line' | 'lines' | 'part' | 'rename' | 'rename, create' | 'copytruncate' | 'restart' | 'crash' | 'settle'

/**
 * The model: a line counts when its newline was written to the file it began in. Whatever happens to
 * the file, all lines that count are seen, in order, each once.
 */
class Model {
  readonly written: string[] = []
  readonly #path: string
  #unfinished = ''
  #number = 0

  constructor(path: string) {
    this.#path = path
  }

  line(): void {
    appendFileSync(this.#path, `${this.#next()}\n`)
    this.written.push(this.#unfinished)
    this.#unfinished = ''
  }

  part(): void {
    appendFileSync(this.#path, this.#next())
  }

  rotate(create: boolean): void {
    if (!existsSync(this.#path)) return
    this.#shift(0)
    this.#unfinished = ''
    if (create) writeFileSync(this.#path, '')
  }

  copyTruncate(): void {
    if (!existsSync(this.#path)) return
    this.#shift(1)
    copyFileSync(this.#path, `${this.#path}.1`)
    truncateSync(this.#path)
    this.#unfinished = ''
  }

  #shift(from: number): void {
    for (let i = 60; i >= from; i--) {
      const name = i === 0 ? this.#path : `${this.#path}.${i}`
      if (existsSync(name)) renameSync(name, `${this.#path}.${i + 1}`)
    }
  }

  #next(): string {
    const text = `${this.#number++}: a failure of a user from 192.0.2.${this.#number % 250}; `
    this.#unfinished += text
    return text
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>('line') },
  fc.constantFrom<Step>(
    'line',
    'lines',
    'part',
    'rename',
    'rename, create',
    'copytruncate',
    'restart',
    'crash',
    'settle',
  ),
)

test('every line is seen once and in order, whatever happens to the file', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), (steps) =>
      inFolder((folder) => run(folder, steps)),
    ),
    { numRuns: 150 },
  ))

test.run()

async function run(folder: string, steps: readonly Step[]): Promise<void> {
  const path = join(folder, 'auth.log')
  const model = new Model(path)
  const seen = new Seen()
  let intake = await start(path, seen, [])
  const settle = async () => {
    await until(
      () => seen.lines.length >= model.written.length && seen.gate === null,
      () => [steps, seen.lines, model.written],
    )
    await until(() => intake.logs().every(({ behind, state }) => behind < 200 || state !== 'reading'))
  }
  try {
    // A position must have been kept once: who has never looked cannot know what was rotated away.
    model.line()
    await settle()
    for (const each of steps) {
      if (each === 'line') model.line()
      else if (each === 'lines') for (let i = 0; i < 500; i++) model.line()
      else if (each === 'part') model.part()
      else if (each === 'rename') model.rotate(false)
      else if (each === 'rename, create') model.rotate(true)
      else if (each === 'settle') await settle()
      else if (each === 'copytruncate') {
        await settle()
        model.copyTruncate()
      } else {
        await intake.stop()
        intake = await start(path, seen, each === 'crash' ? [...seen.positions.values()] : ofFiles(intake.positions()))
      }
    }
    await settle()
  } finally {
    await intake.stop()
  }
  assert.equal(seen.lines, model.written)
}

async function start(path: string, seen: Seen, positions: readonly FilePosition[]): Promise<Intake> {
  const intake = intakeFor(seen, { positions, lookEveryMs: 20 })
  await intake.configure([following(path)])
  return intake
}
