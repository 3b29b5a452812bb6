import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { matcherFiles } from '../../core/built-in.ts'
import { nativeChoice } from '../../core/cli/native-choice.ts'
import { RowCursor } from '../../core/failure-rows.ts'
import { createIntake } from '../../core/intake/intake.ts'
import { createPool } from '../../core/matching/pool.ts'
import { silent, sourceOf, until } from '../../core/testing/seen-lines.ts'
import file from '../../plugins/sources/file.ts'
import { failedLogin } from '../corpora/failed-login.ts'
import type { Figure, Part } from '../part.ts'
import { quantiles } from '../quantiles.ts'

const lines = 300
/** Longer than two looks at the log are apart: each line is one that wakes. */
const pauseMs = 15

/** From a line in a log to what the matcher says of it: intake and pool of the agent, and nothing behind them. */
export default {
  name: 'append',
  about: 'from a line appended to a watched file until the matcher told of it',
  cases: [
    {
      name: 'a failed login',
      why: 'so late a ban is before anything is decided: the kernel wakes, the range is read, a thread matches',
      corpus: `${lines} lines, ${pauseMs} ms apart`,
      answer: 'each line is found once, in order',
      drawn: 'ms',
      measure,
    },
  ],
} satisfies Part

async function measure(folder: string): Promise<readonly Figure[]> {
  const log = join(folder, 'auth.log')
  writeFileSync(log, '')
  const { filter } = await nativeChoice('sshd', { date: true, checkAll: true })
  const engineUrls = matcherFiles().map((one) => pathToFileURL(one).href)
  const pool = createPool({ jails: [{ jail: 'sshd', filter }], engineUrls, log: silent })
  const foundAt: number[] = []
  const intake = createIntake({
    positions: [],
    log: silent,
    scan: async (chunk) => {
      const before = foundAt.length
      const counts = await pool.scanInParts(chunk, ({ rows }) => {
        const now = performance.now()
        for (const row = new RowCursor(rows); row.next();) foundAt.push(now)
      })
      return { ...counts, found: foundAt.length - before }
    },
  })
  try {
    await intake.configure([sourceOf('file', file, { path: log }, 'sshd')])
    const told = async () => {
      const [before, from] = [foundAt.length, performance.now()]
      appendFileSync(log, failedLogin(`198.18.0.${before % 250}`))
      await until(() => foundAt.length > before)
      if (foundAt.length !== before + 1) throw new Error(`${foundAt.length - before} failures were found in one line`)
      await sleep(pauseMs)
      return (foundAt.at(-1) ?? Number.NaN) - from
    }
    // The first ones start the thread and compile.
    for (let index = 0; index < 20; index++) await told()
    const times: number[] = []
    for (let index = 0; index < lines; index++) times.push(await told())
    return quantiles(times)
  } finally {
    await intake.stop()
    await pool.close()
  }
}
