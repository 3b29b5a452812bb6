import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command, Job, Peer } from './peer.ts'
import { plainRegexes } from './plain-regexes.ts'

const source = fileURLToPath(new URL('../../../bench/peers/hyperscan.c', import.meta.url))
const header = '/usr/include/hs/hs.h'

/** A small program around the library (`libhyperscan-dev` and a C compiler), in either of the ways to give it lines. */
export const hyperscan = (way: 'blocks' | 'lines'): Peer => ({
  name: `Hyperscan, ${way}`,
  megabytes: 500,
  command({ task, filter, log, failures }: Job, folder: string): Command | null {
    if (task !== 'yes/no' || !existsSync(header)) return null
    const program = join(folder, 'hyperscan')
    const built =
      existsSync(program) || spawnSync('cc', ['-O2', '-D_GNU_SOURCE', '-o', program, source, '-lhs']).status === 0
    if (!built) return null
    const regexes = join(folder, `${filter}.hs`)
    writeFileSync(regexes, `${plainRegexes(filter).join('\n')}\n`)
    return {
      words: [program, way, regexes, log],
      wrong: (printed) => (printed === `${failures}\n` ? null : `${printed.trim()} of ${failures}`),
    }
  },
})
