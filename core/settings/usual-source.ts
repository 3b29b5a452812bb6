/** Finds out which of the usual places of a service's lines this host has. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { PluginUse } from './plugin-use.ts'
import { isRecord } from './sourced.ts'

/** The one that is read, and why not another: for people. */
export interface UsualSource {
  readonly use: PluginUse
  readonly why: string
  /** `there`: the host has it; `expected`: at least the folder of the file is there; `unlikely`: nothing is. */
  readonly state: 'there' | 'expected' | 'unlikely'
}

/** What is looked at; `root` is where the files of the host begin. */
export interface Host {
  readonly root: string
  /** Unix milliseconds. */
  readonly now: number
}

/** A log that was written so recently is written to: the machine may have been off, and few services fail every day. */
const freshMs = 30 * 24 * 3600_000
/**
 * What a syslog daemon writes is that only while one runs, or when it was written so recently: on a host with one
 * a session of cron is logged every hour. The journal has all of it.
 */
const freshSyslogMs = 24 * 3600_000
const syslogFiles = /^\/var\/log\/(?:auth|daemon|mail|user|syslog|messages|secure|maillog)(?:\.log)?$/
const namesLookedAt = 10_000

/** Whether programs of all kinds write there: then lines are no sign of any one of them. */
export function isShared({ plugin, options }: PluginUse): boolean {
  const { path } = isRecord(options) ? options : {}
  return plugin === 'journal' || [path].flat().every((each) => syslogFiles.test(String(each)))
}

/** How good a place is: the first of the best is read. */
const ranks = { written: 0, journal: 1, other: 2, old: 3, expected: 4, unlikely: 5 } as const

interface Place {
  readonly rank: number
  /** How it is with it: `/var/log/auth.log is written to`. */
  readonly fact: string
}

/**
 * The source to read of those a service may have, the best first; null where there is none. A file that is
 * written to comes first, for its lines come at once; then the journal, which has whatever runs under systemd;
 * then what may come yet. Never two, for each has what the others have.
 */
export function usualSource(
  uses: readonly PluginUse[],
  host: Host = { root: '/', now: Date.now() },
): UsualSource | null {
  const places = uses.map((use) => ({ use, ...look(use, host) }))
  const best = Math.min(...places.map(({ rank }) => rank))
  const chosen = places.find(({ rank }) => rank === best)
  if (chosen === undefined) return null
  const before = places
    .slice(0, places.indexOf(chosen))
    .filter(({ use }) => use.plugin !== chosen.use.plugin || use.plugin === 'file')
  const others = best > ranks.journal ? places.filter((place) => place !== chosen) : before
  const also = best === ranks.written && places.some(({ rank }) => rank === ranks.journal)
  const facts = [
    chosen.fact,
    ...(also ? ['the journal may have the same lines and is not read'] : others.map(({ fact }) => fact)),
  ]
  return { use: chosen.use, why: facts.slice(0, 4).join('; '), state: stateOf(best) }
}

function stateOf(rank: number): UsualSource['state'] {
  if (rank <= ranks.old) return 'there'
  return rank === ranks.expected ? 'expected' : 'unlikely'
}

function look({ plugin, options }: PluginUse, host: Host): Place {
  const given = isRecord(options) ? options : {}
  if (plugin === 'journal') return lookAtJournal(given, host)
  if (plugin !== 'file') return { rank: ranks.other, fact: `${plugin} is a usual source` }
  const places = [given.path].flat().map((path) => lookAtFile(String(path), host))
  return places.toSorted((a, b) => a.rank - b.rank)[0] ?? { rank: ranks.unlikely, fact: 'no file is named' }
}

function lookAtJournal({ directory, file }: Record<string, unknown>, { root }: Host): Place {
  if (directory !== undefined || file !== undefined) return { rank: ranks.journal, fact: 'journal files are named' }
  const programs = ['usr/bin/journalctl', 'bin/journalctl', 'usr/local/bin/journalctl']
  const program = programs.some((path) => modified(join(root, path)) !== null)
  const runs = modified(join(root, 'run/systemd/journal/socket')) !== null
  if (runs && program) return { rank: ranks.journal, fact: 'the journal of systemd has its lines' }
  const what = runs ? 'journald runs, but there is no journalctl to read it with' : 'no journald runs'
  return { rank: ranks.unlikely, fact: what }
}

function lookAtFile(path: string, host: Host): Place {
  const found = matching(path, host.root)
  const newest = Math.max(...found.map((each) => modified(each) ?? -Infinity))
  const age = host.now - newest
  const fresh = syslogFiles.test(path) && !syslogRuns(host) ? freshSyslogMs : freshMs
  if (age < fresh) return { rank: ranks.written, fact: `${path} is written to` }
  if (newest > -Infinity) {
    const day = new Date(newest).toISOString().slice(0, 10)
    return { rank: ranks.old, fact: `${path} was last written to on ${day}` }
  }
  const folder = path.replace(/\/[^/]*$/, '')
  const expected = matching(folder, host.root).some((each) => modified(each) !== null)
  return { rank: expected ? ranks.expected : ranks.unlikely, fact: `${path} is not there` }
}

/** The socket that journald passes lines on to, and the files in which the daemons say who they are. */
function syslogRuns({ root }: Host): boolean {
  const signs = [
    'run/systemd/journal/syslog',
    'run/rsyslogd.pid',
    'run/syslogd.pid',
    'run/syslog-ng.pid',
    'run/syslog-ng/syslog-ng.pid',
  ]
  return signs.some((path) => modified(join(root, path)) !== null)
}

/** The paths that a pattern means, `*` and `?` by name, other wild cards as `*`; the path itself where it has none. */
function matching(pattern: string, root: string): string[] {
  let found = [root]
  for (const part of pattern.split('/').filter(Boolean)) {
    const wild = /[*?[\]{}]/.test(part) ? toRegExp(part) : null
    found = found.flatMap((folder) =>
      wild === null
        ? [join(folder, part)]
        : namesIn(folder)
            .filter((name) => wild.test(name))
            .map((name) => join(folder, name)),
    )
    found.length = Math.min(found.length, namesLookedAt)
  }
  return found
}

function toRegExp(part: string): RegExp {
  const source = part
    .replace(/\[[^\]]*\]|\{[^}]*\}/g, '*')
    .replace(/[.+^$()|\\[\]{}]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).slice(0, namesLookedAt)
  } catch {
    return []
  }
}

/** When it was written to, unix milliseconds; null: it is not there, or not to be seen. */
function modified(path: string): number | null {
  try {
    return statSync(path).mtimeMs
  } catch {
    return null
  }
}
