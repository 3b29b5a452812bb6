/** Commits bans in a loop and prints each one once it was acknowledged; the test of kill -9 runs it. */
import { writeSync } from 'node:fs'
import { ban, position, storeAt } from './bans.ts'

const store = await storeAt(process.argv[2] ?? '')
for (let i = 0; i < 10_000; i++) {
  const each = ban(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
  const done = store.commit({ bans: [each], positions: [position('/var/log/auth.log', i + 1)] })
  void done.then(() => writeSync(1, `${each.prefix}\n`))
  if (i % 3 === 0) await done
}
