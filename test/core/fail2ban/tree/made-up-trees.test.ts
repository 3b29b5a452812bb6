/** Made-up configurations become the commands that the reader of the installed Fail2ban makes of them. */
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { readTree } from '../../../../core/fail2ban/tree/tree.ts'
import { comparedVersion } from '../../../compared-fail2ban.ts'
import { suite } from '../../../suite.ts'
import { scratch } from '../../settings/scratch.ts'
import { madeUpTrees, writeTree } from './made-up-tree.ts'
import { asAnswered, RealReader } from './real-reader.ts'

const test = suite('made-up trees', 'fail2ban-regex')
const runs = { numRuns: Number(process.env.BAILIFF_RUNS ?? 300) }

test('the same commands; where Fail2ban gives up, an error says why', async () => {
  const real = new RealReader()
  const folder = join(scratch(), 'fail2ban')
  let taken = 0
  try {
    await fc.assert(
      fc.asyncProperty(madeUpTrees, fc.boolean(), async (files, isForced) => {
        writeTree(folder, files)
        const answer = await real.ask('stream', folder, isForced)
        const tree = await readTree(folder, { jails: isForced ? 'all' : 'enabled', version: comparedVersion })
        if ('value' in answer) {
          taken += 1
          assert.equal(
            asAnswered(tree.stream),
            answer.value,
            Object.entries(files)
              .map(([name, text]) => `--- ${name}\n${text}`)
              .join('\n'),
          )
        } else if (!answer.error.startsWith('MemoryError'))
          assert.ok(tree.problems.length + tree.warnings.length > 0, `${answer.error}: nothing is said of it`)
      }),
      runs,
    )
    assert.ok(taken > runs.numRuns / 10, `${taken} of ${runs.numRuns} trees were such that Fail2ban took them`)
  } finally {
    real.end()
  }
})

test.run()
