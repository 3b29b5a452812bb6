/** Lines of the systemd journal that name an address, where a jail reads it. */
import { spawn } from 'node:child_process'
import { EntryLines } from '../../plugins/sources/journal/entry-line.ts'
import { ExportReader } from '../../plugins/sources/journal/export-reader.ts'
import {
  inWords,
  lastEntriesWords,
  options as journalOptions,
  type JournalOptions,
} from '../../plugins/sources/journal/journalctl-words.ts'
import type { PluginUse } from '../settings/plugin-use.ts'
import { mentionsIn, type MentioningLog } from './mentions.ts'

/** So many entries of each journal are looked through, and waited for so long. */
const mostEntries = 20_000
const patienceMs = 10_000

/**
 * The journals that these sources read and that name the address. Each different one is read once. One that cannot
 * be read, or names nobody, is left out.
 */
export async function journalsThatName(address: string, sources: readonly PluginUse[]): Promise<MentioningLog[]> {
  const given = sources.flatMap(({ plugin, options }) => {
    if (plugin !== 'journal') return []
    const read = journalOptions.safeParse(options ?? {})
    return read.success ? [read.data] : []
  })
  const different = new Map(given.map((each) => [JSON.stringify(each), each]))
  const found = await Promise.all([...different.values()].map((each) => journalThatNames(address, each)))
  return found.filter((each) => each !== null)
}

async function journalThatNames(address: string, options: JournalOptions): Promise<MentioningLog | null> {
  const writer = new EntryLines()
  let text = ''
  let modifiedAt = 0
  const reader = new ExportReader((entry) => {
    if (entry.tooLong || !entry.message.includes(address)) return
    modifiedAt ||= Number(entry.time) / 1000
    // The last comes first.
    text = writer.line(entry) + text
  })
  await readAll(lastEntriesWords(options, mostEntries), reader)
  const mentions = mentionsIn(Buffer.from(text, 'latin1'), address)
  if (mentions.length === 0) return null
  return { log: `the journal (${inWords(options) || 'all of it'})`, isFile: false, mentions, modifiedAt }
}

/** Resolves when journalctl has ended, or its time is over. What cannot be read is nothing. */
function readAll(words: readonly string[], reader: ExportReader): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('journalctl', words, { stdio: ['ignore', 'pipe', 'ignore'], timeout: patienceMs })
    child.on('error', () => resolve())
    child.on('close', () => resolve())
    child.stdout.on('data', (piece: Buffer) => {
      try {
        reader.push(piece)
      } catch {
        child.kill()
      }
    })
  })
}
