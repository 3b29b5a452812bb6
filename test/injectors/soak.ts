/** Plays the faults of logs long, one after the other, and prints what held: `npm run soak [NAME…]`. */
import { logFaults } from './log-faults.ts'
import { playFault } from './play-fault.ts'

const wanted = process.argv.slice(2)
const names = Object.keys(logFaults).filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
const times = Number(process.env.SOAK_TIMES ?? 5)
for (const name of names) {
  const fault = logFaults[name]
  const { lines, lost, wrong, delay } = await playFault(name, (fault?.lines ?? 0) * times)
  const held = lost.length <= lines * (fault?.allowedLoss ?? 0) && wrong.length === 0
  if (!held) process.exitCode = 1
  const figures = `${lost.length} of ${lines} lost, ${wrong.length} wrong; delay ms p50 ${delay.p50.toFixed(1)} p99 ${delay.p99.toFixed(0)} max ${delay.max.toFixed(0)}`
  console.log(
    `${held ? ' ok ' : 'FAIL'} ${name.padEnd(52)} ${figures}${lost.length > 0 ? ` [${lost.slice(0, 12).join(' ')}]` : ''}`,
  )
}
