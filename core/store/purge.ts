import { rollBack } from './schema.ts'
import type { Database } from './sqlite.ts'

/** What may go: bans that began before `before`, and those beyond the youngest `keep`; never one in force. */
export interface PurgeLimits {
  /** Unix milliseconds. */
  readonly now: number
  readonly before: number
  readonly keep: number
}

const rowsAtOnce = 5000
/** The lines of so many bans are kept: they are most of what a ban takes. */
const keptLines = 20_000
/** Positions of logs that nobody follows any more are not worth more room than this. */
const maxPositions = 10_000
/** A cursor that no source has spoken of for so long leads nowhere any more: journals are not kept for ever. */
const cursorsKeptMs = 30 * 24 * 3600_000
/** An end that nobody told of is believed this long after it: the clock may have jumped. */
const believedAfterMs = 24 * 3600_000
/** Free pages are given back to the disk when there are more than these, some at a time. */
const freePagesKept = 1024
const pagesAtOnce = 2048

/**
 * Forgets what may go, at most some rows a call, in one transaction. True when there may be more. The
 * room goes back to the disk, so the file stays as small as what it holds.
 */
export function purge(database: Database, { now, before, keep }: PurgeLimits): boolean {
  let removed = 0
  const removeBans = (which: string, value: number) => {
    const sql = `DELETE FROM bans WHERE id IN
      (SELECT id FROM bans WHERE ended IS NOT NULL AND ${which} ORDER BY id LIMIT ${rowsAtOnce}) RETURNING id`
    const gone = database.prepare(sql).all(value)
    const dropLines = database.prepare('DELETE FROM lines WHERE ban = ?')
    for (const { id } of gone) dropLines.run(Number(id))
    removed = Math.max(removed, gone.length)
  }
  database.exec('BEGIN IMMEDIATE')
  try {
    const over = `UPDATE bans SET ended = until, reason = 'expired' WHERE id IN
      (SELECT id FROM bans WHERE ended IS NULL AND until <= ? LIMIT ${rowsAtOnce}) RETURNING id`
    removed = database.prepare(over).all(now - believedAfterMs).length
    removeBans('since < ?', before)
    removeBans('id <= (SELECT id FROM bans ORDER BY id DESC LIMIT 1 OFFSET ?)', keep)
    const oldLines = `DELETE FROM lines WHERE ban IN
      (SELECT ban FROM lines ORDER BY ban DESC LIMIT ${rowsAtOnce} OFFSET ${keptLines}) RETURNING ban`
    removed = Math.max(removed, database.prepare(oldLines).all().length)
    database.exec(
      `DELETE FROM positions WHERE path IN (SELECT path FROM positions ORDER BY path LIMIT -1 OFFSET ${maxPositions})`,
    )
    database.prepare('DELETE FROM cursors WHERE named < ?').run(now - cursorsKeptMs)
    database.exec(
      `DELETE FROM cursors WHERE path IN
        (SELECT path FROM cursors ORDER BY named DESC LIMIT -1 OFFSET ${maxPositions})`,
    )
    database.exec('COMMIT')
  } catch (error) {
    rollBack(database)
    throw error
  }
  return giveBack(database) || removed >= rowsAtOnce
}

function giveBack(database: Database): boolean {
  const free = Number(database.prepare('PRAGMA freelist_count').get()?.freelist_count)
  if (free <= freePagesKept) return false
  database.prepare(`PRAGMA incremental_vacuum(${pagesAtOnce})`).all()
  return free - pagesAtOnce > freePagesKept
}
