/**
 * A process that writes a log and does to it what a fault says: `log-writer.js FAULT LOG COUNT OUT`.
 * Each line has an address of its own; when each was written stands in OUT in the end, one time (ms of
 * the monotonic clock) a line, in order.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import { logFaults } from './log-faults.ts'
import { failureLine, now, sleep } from './reading-agent.ts'

const [name = '', path = '', count = '', out = ''] = process.argv.slice(2)
const fault = logFaults[name]
if (fault === undefined) throw new Error(`no fault is named ${name}`)
const written: number[] = []
const line = () => {
  written.push(now())
  return failureLine(written.length)
}
const log = { path, append: (text: string) => appendFileSync(path, text) }
const lineEveryMs = fault.lineEveryMs ?? 2
const started = now()
for (let step = 1; written.length < Number(count);) {
  log.append(line())
  if (now() - started >= step * fault.everyMs) await fault.step(log, step++, line)
  const ahead = started + written.length * lineEveryMs - now()
  if (ahead > 1) await sleep(ahead)
}
writeFileSync(out, written.join('\n'))
