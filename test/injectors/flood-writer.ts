/**
 * A process that writes a busy auth.log: `flood-writer.js LOG LINES_A_SECOND SECONDS OUT`. Of its lines
 * 5 % tell of failed logins, and every 20 ms one has an address of its own; when each of those was
 * written stands in OUT in the end (ms of the monotonic clock, a line each).
 */
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { writeAuthLog } from '../../bench/corpora/auth-log.ts'
import { failureLine, now, sleep } from './reading-agent.ts'

const [log = '', perSecond = '', seconds = '', out = ''] = process.argv.slice(2)
const everyMs = 20
writeAuthLog(out, { bytes: 4e6, attacks: 0.05, seed: 1 })
const lines = readFileSync(out, 'utf8').trimEnd().split('\n')
rmSync(out)
const batch = Math.round((Number(perSecond) * everyMs) / 1000)
const batches = Array.from({ length: Math.floor(lines.length / batch) }, (_, index) =>
  lines.slice(index * batch, (index + 1) * batch).join('\n'),
)
const file = openSync(log, 'a')
const written: number[] = []
const started = now()
while (now() - started < Number(seconds) * 1000) {
  writeSync(file, `${batches[written.length % batches.length]}\n${failureLine(written.length + 1)}`)
  written.push(now())
  const ahead = started + written.length * everyMs - now()
  if (ahead > 0) await sleep(ahead)
}
closeSync(file)
writeFileSync(out, written.join('\n'))
