import { accessFilter, writeAccessLog } from './corpora/access-log.ts'
import { writeAuthLog } from './corpora/auth-log.ts'
import type { GeneratedLogAnswer, GeneratedLogOptions } from './corpora/generated-log.ts'
import { writeWebLog } from './corpora/web-log.ts'
import { bailiff, bailiffOnFields, bailiffOnTree } from './peers/bailiff.ts'
import { crowdsec } from './peers/crowdsec.ts'
import { fail2ban } from './peers/fail2ban.ts'
import { hyperscan } from './peers/hyperscan.ts'
import type { Job, Peer } from './peers/peer.ts'
import { ripgrep } from './peers/ripgrep.ts'
import { sshguard } from './peers/sshguard.ts'

/** A stored log, and who reads it. */
export interface ScanCase extends Pick<Job, 'task' | 'filter'> {
  readonly name: string
  readonly why: string
  readonly write: (file: string, options: GeneratedLogOptions) => GeneratedLogAnswer
  readonly attacks: number
  /** Bailiff first. */
  readonly peers: readonly Peer[]
}

const corpora = [
  {
    name: 'sshd, 5 % attacks',
    why: 'a host on the internet on a usual day: nearly every line is passed over',
    filter: 'sshd',
    write: writeAuthLog,
    attacks: 0.05,
  },
  {
    name: 'sshd, 90 % attacks',
    why: 'a host under attack: nearly every line counts',
    filter: 'sshd',
    write: writeAuthLog,
    attacks: 0.9,
  },
  {
    name: 'nginx, 2 % bad requests',
    why: 'a busy web server: long lines, few of them bad',
    filter: 'nginx-bad-request',
    write: writeWebLog,
    attacks: 0.02,
  },
] as const

/** All that is measured on stored logs. */
export const cases: readonly ScanCase[] = [
  ...corpora.map((corpus): ScanCase => ({
    ...corpus,
    task: 'whole path',
    peers: [bailiff, fail2ban, ...(corpus.filter === 'sshd' ? [sshguard, crowdsec] : [])],
  })),
  ...corpora.map((corpus): ScanCase => ({
    ...corpus,
    task: 'yes/no',
    peers: [bailiff, ripgrep, hyperscan('blocks'), hyperscan('lines')],
  })),
  ...corpora
    .filter(({ filter }) => filter === 'sshd')
    .map((corpus): ScanCase => ({
      ...corpus,
      name: `Fail2ban's filter, ${corpus.name}`,
      task: 'whole path',
      peers: [bailiffOnTree, fail2ban],
    })),
  ...(['json', 'logfmt'] as const).flatMap((format) =>
    [0.05, 0.9].map((attacks): ScanCase => ({
      name: `${format}, ${attacks * 100} % failed logins`,
      why: 'access logs by field, 300 to 340 bytes a line',
      task: 'whole path',
      filter: format,
      write: (file, options) => writeAccessLog(file, { ...options, format }),
      attacks,
      peers: [bailiffOnFields(accessFilter(format))],
    })),
  ),
]
