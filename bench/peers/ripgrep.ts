import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Job, Peer } from './peer.ts'
import { plainRegexes } from './plain-regexes.ts'

const program = '/usr/bin/rg'

/** `rg --count`, one thread, bytes. */
export const ripgrep: Peer = {
  name: 'ripgrep',
  megabytes: 500,
  command({ task, filter, log, failures }: Job, folder: string): Command | null {
    if (task !== 'yes/no' || !existsSync(program)) return null
    const regexes = join(folder, `${filter}.rg`)
    writeFileSync(regexes, `${plainRegexes(filter).join('\n')}\n`)
    const words = ['--no-config', '--no-unicode', '--threads', '1', '--count', '--file', regexes, log]
    return {
      words: [program, ...words],
      wrong: (printed) => (printed === `${failures}\n` ? null : `${printed.trim()} of ${failures}`),
    }
  },
}
