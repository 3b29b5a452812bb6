/**
 * What the test of faults runs and breaks at every point: some commits, one after the other. Each has a
 * ban, a position, a cursor and a failure of the same number; the number is printed once it was acknowledged. With
 * `damaged` the file is damaged in the middle, so that everything is written anew.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Ban } from '../../../core/events.ts'
import { ban, cursor, position, silent, start, until } from './bans.ts'
import { openStore } from '../../../core/store/store.ts'

const [path = '', kind] = process.argv.slice(2)
const commits = 4
const bans: Ban[] = []
let told = 0

let alarms = 0
const alarm = () => alarms++
const checkEveryMs = kind === 'damaged' ? 100 : 1e6
const store = await openStore({ path, log: silent, alarm, now: () => start, waitMs: 0, checkEveryMs })
store.hold({
  bans: () => bans,
  counted: () => {
    const entries = numbers(told + 1, bans.length)
    told = bans.length
    return entries.length > 0 ? { jails: [['sshd']], entries } : null
  },
  everything: function* () {
    told = bans.length
    if (told > 0) yield { jails: [['sshd']], entries: numbers(1, told) }
  },
  kept: () => [],
  positions: () => [],
  restored: () => {},
})
for (let i = 1; i <= commits; i++) {
  if (i === 3 && kind === 'damaged') {
    // By a name and a call that are not broken.
    const before = alarms
    const fd = openSync(`/proc/self/root${path}`, 'r+')
    writeSync(fd, 'this is no store')
    closeSync(fd)
    await until(() => alarms > before)
  }
  const each = ban(`192.0.2.${i}`)
  bans.push(each)
  await store.commit({ bans: [each], counted: true, positions: [position('/a', i), cursor('journal/', `after ${i}`)] })
  writeSync(1, `${i}\n`)
}
await store.close()

function numbers(from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}
