import * as assert from 'uvu/assert'
import type { SourcePlugin } from '../../core/plugin.ts'
import { intakeFor, Seen, sourceOf, until } from '../core/intake/lines.ts'
import { suite } from '../suite.ts'
import { optionIssues } from './options.ts'

/**
 * What every source keeps, run by the real intake: lines written on the other side arrive once and in
 * order, a slow agent loses none, and a stop ends it. `write` appends text to what the source reads.
 */
export function sourceContract(
  name: string,
  plugin: SourcePlugin,
  subject: { options: unknown; write: (text: string) => void | Promise<void> },
): void {
  const test = suite(`source ${name} keeps the contract`)
  const source = sourceOf(name, plugin, subject.options, 'sshd')

  test('its options are checked', async () => {
    assert.equal(await optionIssues(plugin.options, subject.options), [])
    assert.ok((await optionIssues(plugin.options, { ...(subject.options as object), surprise: 1 })).length > 0)
  })

  test('lines arrive once, in order, whole', async () => {
    const seen = new Seen()
    const intake = intakeFor(seen)
    await intake.configure([source])
    await until(() => intake.logs().length > 0)
    for (const text of ['one\n', 'two\nthr', 'ee\n', 'four\n']) await subject.write(text)
    await until(
      () => seen.lines.includes('four'),
      () => seen.lines,
    )
    await intake.stop()
    assert.equal(seen.lines, ['one', 'two', 'three', 'four'])
  })

  test('a slow agent loses nothing, and after a stop nothing more arrives', async () => {
    const seen = new Seen()
    const intake = intakeFor(seen)
    await intake.configure([source])
    await until(() => intake.logs().length > 0)
    let open = () => {}
    seen.gate = new Promise((resolve) => (open = resolve))
    for (let i = 0; i < 200; i++) await subject.write(`slow ${i}\n`)
    seen.gate = null
    open()
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
  })
  test.run()
}
