import { existsSync } from 'node:fs'
import { mustSay, type Command, type Job, type Peer } from './peer.ts'

const program = '/usr/bin/fail2ban-regex'

/** `fail2ban-regex` with its filter of the same service, which counts otherwise: its answer is held to the number of lines. */
export const fail2ban: Peer = {
  name: 'fail2ban-regex',
  megabytes: 20,
  command({ task, filter, log, lines }: Job): Command | null {
    const rules = `/etc/fail2ban/filter.d/${filter}.conf`
    if (task !== 'whole path' || !existsSync(program) || !existsSync(rules)) return null
    return { words: [program, log, rules], wrong: mustSay(`Lines: ${lines} lines`) }
  },
}
