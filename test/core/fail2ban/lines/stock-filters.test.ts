/** Every stock filter with every option its samples use, over all its sample lines in order, against the running program. */
import * as assert from 'uvu/assert'
import { suite } from '../../../suite.ts'
import { RunningFail2ban } from './running-filter.ts'
import { differences, wholeTexts, zone } from './same-verdicts.ts'
import { sampleRuns } from './stock-samples.ts'

const test = suite('stock filters on their samples', 'python3', 'fail2ban-regex')
/** The time at which the samples are read. */
const now = 1_124_013_600

for (const all of [true, false]) {
  test(`every line has the same failures${all ? ', every failregex tried' : ''}`, async () => {
    const running = new RunningFail2ban(zone)
    try {
      assert.equal(await allDifferences(running, all), [])
    } finally {
      running.end()
    }
  })
}

async function allDifferences(running: RunningFail2ban, all: boolean): Promise<unknown[]> {
  const found: unknown[] = []
  let lines = 0
  for (const run of sampleRuns()) {
    const texts = await running.texts(run.folder, run.filter, run.options)
    const moment = { now, dateText: '', inOperation: true, findtime: null, time: run.journal ? now : null }
    const different = await differences(
      running,
      wholeTexts(run.filter, texts, { journal: run.journal }),
      run.lines.map((text) => ({ text, ...moment })),
      { all, raw: true },
    )
    lines += run.lines.length
    found.push(...different.map((one) => ({ filter: run.filter, options: run.options, ...one })))
  }
  assert.ok(lines > 1000, `only ${lines} lines`)
  return found
}

test.run()
