import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mustSay, type Command, type Job, type Peer } from './peer.ts'

const tree = '/etc/fail2ban'
const main = fileURLToPath(new URL('../../core/cli/main.js', import.meta.url))

/** Whether Fail2ban is installed, and has a filter of this name. */
export function hasTree(filter: string): boolean {
  return existsSync(`${tree}/filter.d/${filter}.conf`)
}

/** `bailiff test`, one thread. */
export const bailiff: Peer = {
  name: 'Bailiff',
  megabytes: 1000,
  command: (job) => testing(job, job.filter),
}

/** The same on logs of fields, whose filter is written out. */
export const bailiffOnFields = (filter: string): Peer => ({
  name: 'Bailiff',
  // Its filter is a file that is read and compiled at the start, which would weigh too much.
  megabytes: 300,
  command(job, folder) {
    const file = join(folder, `${job.filter}.yaml`)
    writeFileSync(file, filter)
    return testing(job, file)
  },
})

/** The same with the filter of an installed Fail2ban, whose sessions make other matches of the lines. */
export const bailiffOnTree: Peer = {
  name: 'Bailiff',
  megabytes: 600,
  command({ filter, log, lines }) {
    if (!hasTree(filter)) return null
    return {
      words: [process.execPath, main, 'test', '--fail2ban', tree, filter, log, '--summary'],
      wrong: mustSay(`lines ${lines}, matches `),
    }
  },
}

function testing({ task, log, lines, failures }: Job, filter: string): Command {
  const more = task === 'yes/no' ? ['--yes-no'] : []
  return {
    words: [process.execPath, main, 'test', filter, log, '--summary', ...more],
    wrong: mustSay(`lines ${lines}, matches ${failures},`),
  }
}
