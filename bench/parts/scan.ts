import { statSync } from 'node:fs'
import { accessFilter, writeAccessLog } from '../corpora/access-log.ts'
import { writeAuthLog } from '../corpora/auth-log.ts'
import { writeWebLog } from '../corpora/web-log.ts'
import type { Case, Figure, Part } from '../part.ts'
import { bailiff, bailiffOnFields, bailiffOnTree, hasTree } from '../peers/bailiff.ts'
import { crowdsec } from '../peers/crowdsec.ts'
import { fail2ban } from '../peers/fail2ban.ts'
import { hyperscan } from '../peers/hyperscan.ts'
import type { Command, Job, Peer } from '../peers/peer.ts'
import { ripgrep } from '../peers/ripgrep.ts'
import { sshguard } from '../peers/sshguard.ts'
import { inTurn, median, spentBy } from '../rounds.ts'
import { WrittenLogs, type Corpus } from '../written-logs.ts'

/** A stored log, and who reads it. */
interface ScanCase extends Corpus, Pick<Job, 'task' | 'filter'> {
  readonly name: string
  readonly why: string
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

const scans: readonly ScanCase[] = [
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

/** Stored logs: Bailiff and its peers as whole processes in turn. */
export default {
  name: 'scan',
  about: 'stored logs, whole processes: the whole path (dates, captures, addresses, counters) and yes/no',
  cases: scans.map((one): Case => ({
    name: `${one.name}, ${one.task}`,
    why: one.why,
    corpus: `a log with ${one.attacks * 100} % failures, seed 1; each gets so much of it as takes it some time`,
    answer: 'lines and failures as its generator counted them',
    drawn: 'MB/CPU s',
    missing: () => (one.peers[0] === bailiffOnTree && !hasTree(one.filter) ? 'Fail2ban is not installed' : null),
    measure: (folder, rounds) => measure(one, folder, rounds),
  })),
} satisfies Part

async function measure(one: ScanCase, folder: string, rounds: number): Promise<Figure[]> {
  const runs = new Map<string, () => number>()
  const sizes = new Map<string, { readonly lines: number; readonly bytes: number }>()
  const logs = new WrittenLogs(one, folder)
  for (const peer of one.peers) {
    const log = logs.of(peer.megabytes)
    const command: Command | null = peer.command({ ...one, ...log }, folder)
    if (command === null) console.log(`${one.name}: ${peer.name} is not installed`)
    else {
      runs.set(peer.name, () => spentBy(command).cpuSeconds)
      sizes.set(peer.name, { lines: log.lines, bytes: statSync(log.log).size })
    }
  }
  const all = [...(await inTurn(runs, rounds))].map(([subject, seconds]) => {
    const { lines = 0, bytes = 0 } = sizes.get(subject) ?? {}
    const spent = median(seconds)
    return { subject, lines: lines / spent, megabytes: bytes / 1e6 / spent }
  })
  const ours = all[0]?.lines ?? Number.NaN
  return all.map(({ subject, lines, megabytes }, index): Figure => {
    const values = { 'lines/CPU s': lines, 'MB/CPU s': megabytes }
    if (index === 0) return { subject, values }
    return { subject, values: { ...values, 'times less than Bailiff': ours / lines }, isPeer: true }
  })
}
