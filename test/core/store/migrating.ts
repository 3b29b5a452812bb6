/** Makes a store of today with some bans, then brings it to a later schema; the test of faults kills it on the way. */
import { migrate } from '../../../core/store/schema.ts'
import { openDatabase } from '../../../core/store/sqlite.ts'
import { Tables } from '../../../core/store/tables.ts'
import { ban } from './bans.ts'
import { steps } from './migration-steps.ts'

const database = await openDatabase(process.argv[2] ?? '')
database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
migrate(database)
const bans = Array.from({ length: 500 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`, { count: i + 1, lines: [] }))
new Tables(database).commit({ changes: bans.map((each) => ({ ban: each })), positions: [], failures: null })
migrate(database, steps)
database.close()
