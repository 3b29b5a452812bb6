/**
 * Plays faults long, one after the other, and prints what held: `npm run soak:logs [PART OF A NAME…]`.
 * SOAK_TIMES (5) says how many times as long as in the tests. To be run on a machine that has nothing else to do.
 */
import { killers, playKiller } from './killer-lines.ts'
import { logFaults } from './log-faults.ts'
import { playFault, type Played } from './play-fault.ts'
import { playFlood } from './play-flood.ts'

const wanted = process.argv.slice(2)
const times = Number(process.env.SOAK_TIMES ?? 5)
const ms = (value: number) => `${value.toFixed(0)} ms`

for (const [name, fault] of Object.entries(logFaults)) {
  await row(name, async () => {
    const played = await playFault(name, fault.lines * times)
    const { lines, lost, wrong } = played
    return [lost.length <= lines * (fault.allowedLoss ?? 0) && wrong.length === 0, said(played)]
  })
}
for (const [name, killer] of Object.entries(killers)) {
  for (const perSecond of [20, 100]) {
    await row(`killer ${name}, ${perSecond} a second`, async () => {
      const { honest, lost, same, other, skipped } = await playKiller(killer, {
        killers: 200 * times,
        perSecond,
        floods: 1,
      })
      const late = `late at most: same log ${ms(same.max)} (p50 ${ms(same.p50)}), other ${ms(other.max)}`
      return [
        lost === 0 && Math.max(same.max, other.max) <= 500,
        `${lost} of ${honest} lost, ${skipped} skipped; ${late}`,
      ]
    })
  }
}
await row('50 000 lines a second', async () => {
  const played = await playFlood(50_000, 12 * times)
  const { early, late } = played.memory
  const held = played.lost.length === 0 && played.delay.p99 <= 250 && late <= early + 32
  return [
    held,
    `${said(played)}; ${played.cores.toFixed(2)} cores, memory ${early.toFixed(0)} -> ${late.toFixed(0)} MiB`,
  ]
})
process.exit()

async function row(name: string, play: () => Promise<[held: boolean, figures: string]>): Promise<void> {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) return
  const [held, figures] = await play()
  if (!held) process.exitCode = 1
  console.log(`${held ? ' ok ' : 'FAIL'} ${name.padEnd(52)} ${figures}`)
}

function said({ lines, lost, wrong, delay: { p50, p99, max } }: Played): string {
  return `${lost.length} of ${lines} lost, ${wrong.length} wrong; late p50 ${p50.toFixed(1)} p99 ${p99.toFixed(0)} max ${ms(max)}`
}
