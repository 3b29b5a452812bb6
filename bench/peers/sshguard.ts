import { existsSync } from 'node:fs'
import type { Command, Job, Peer } from './peer.ts'

const places = ['/usr/libexec/sshguard/sshg-parser', '/usr/lib/sshguard/sshg-parser']

/** sshguard's parser alone, which prints a line an attack. It knows other forms than the filter: nine in ten must be among them. */
export const sshguard: Peer = {
  name: "sshguard's parser",
  megabytes: 30,
  command({ task, filter, log, failures }: Job): Command | null {
    const program = places.find((place) => existsSync(place))
    if (task !== 'whole path' || filter !== 'sshd' || program === undefined) return null
    return { words: [program], input: log, wrong: (printed) => tooFew(printed.split('\n').length - 1, failures) }
  },
}

function tooFew(found: number, failures: number): string | null {
  return found >= failures * 0.7 && found <= failures * 1.5 ? null : `${found} attacks of ${failures}`
}
