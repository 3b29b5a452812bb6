import { EntryLines } from '../../plugins/sources/journal/entry-line.ts'
import { ExportReader, fields } from '../../plugins/sources/journal/export-reader.ts'
import { entryConditions, options as journalOptions } from '../../plugins/sources/journal/journalctl-words.ts'
import { shellWords } from '../fail2ban/tree/shell-words.ts'
import type { PluginUse } from '../settings/plugin-use.ts'
import { journalOutput, matchWords, placeWords } from './journal-lines.ts'
import type { JournalChoice } from './native-bytes.ts'

/** Entries as lines of syslog. What is too long for a line is passed over, as the source does. */
export async function* journalPieces(log: string, { journalmatch, sources }: JournalChoice): AsyncGenerator<Buffer> {
  const writer = new EntryLines()
  let lines = ''
  const reader = new ExportReader((entry) => {
    if (!entry.tooLong) lines += writer.line(entry)
  })
  const conditions = journalmatch === undefined ? usualConditions(sources) : matchWords([shellWords(journalmatch)])
  const words = ['--output=export', `--output-fields=${fields.join(',')}`, ...placeWords(log), ...conditions]
  for await (const piece of journalOutput(words)) {
    reader.push(piece)
    if (lines !== '') yield Buffer.from(lines, 'latin1')
    lines = ''
  }
}

/** Those of the source `journal`; none where there is no such source: all entries are read. */
function usualConditions(sources: readonly PluginUse[]): string[] {
  const groups = sources.flatMap(({ plugin, options }) => {
    const read = plugin === 'journal' ? journalOptions.safeParse(options ?? {}) : null
    return read?.success ? [entryConditions(read.data)] : []
  })
  if (groups.some((words) => words.length === 0)) return []
  return groups.flatMap((words, index) => (index === 0 ? words : ['+', ...words]))
}
