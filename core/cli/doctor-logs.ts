import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { whyUnreadable } from '../errors.ts'
import { filesMatching } from '../intake/matched-files.ts'
import { isPattern } from '../intake/path-pattern.ts'
import type { ReadyJail } from '../jails.ts'
import type { Account } from '../rights/accounts.ts'
import type { Settings } from '../settings/load-settings.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'
import { dateFindings } from './log-dates.ts'
import { nativeTimes, sampleLog, type LogSample, type TimesOfLines } from './log-sample.ts'
import { logsOf } from './missing-files.ts'
import { agentAccount } from './named-accounts.ts'
import { counted, duration } from './output.ts'
import { proxyFindings } from './proxy-findings.ts'

const run = promisify(execFile)
/** Of one pattern, and in all: the rest is counted. */
const mostFiles = 20
const longSilenceMs = 7 * 24 * 3_600_000

/** Whether the agent can read its logs, whether they grow, and what their dates and addresses are. */
export async function logFindings(jails: readonly ReadyJail[], settings: Settings | null): Promise<DoctorFinding[]> {
  const account = settings === null || process.geteuid?.() !== 0 ? null : agentAccount(settings)
  const found: DoctorFinding[] = []
  const told = new Set<string>()
  for (const jail of jails) {
    for (const source of jail.sources) {
      if (source.name === 'journal') found.push(...(await journalFindings(jail, source.options, account)))
      for (const path of logsOf(source)) {
        const files = isPattern(path) ? filesMatching(path) : existsSync(path) ? [path] : []
        if (files.length === 0) found.push(missing(path, jail))
        for (const file of files.slice(0, mostFiles)) {
          if (told.has(file)) continue
          told.add(file)
          found.push(...(await fileFindings(file, jail, account)))
        }
        if (files.length > mostFiles)
          found.push(note('logs', `${files.length - mostFiles} more files of ${path} are not looked at`))
      }
    }
  }
  return found
}

/** How a jail is told of another log. */
function otherSource({ name, fail2ban }: ReadyJail): string {
  return fail2ban === null
    ? `jails: { ${name}: { source: … } }`
    : `[${name}] logpath = … in ${fail2ban.folder}/jail.local`
}

/** What reads Fail2ban's dates is loaded only where it is needed. */
async function timesOf({ filter, fail2ban }: ReadyJail): Promise<TimesOfLines> {
  if (!fail2ban?.texts) return nativeTimes(filter.dates ?? null)
  const { treeTimes } = await import('./tree-times.ts')
  return treeTimes(fail2ban.texts)
}

function missing(path: string, jail: ReadyJail): DoctorFinding {
  const { name } = jail
  const what = isPattern(path) ? `no file is meant by ${path}` : `there is no ${path}`
  const syslog = /^\/var\/log\/(?:auth|mail|syslog|daemon)(?:\.log)?$/.test(path)
  const mend = syslog ? 'apt-get install rsyslog' : `if it is elsewhere: ${otherSource(jail)}`
  return problem('logs', `${what} yet, so ${name} sees nothing`, mend)
}

async function fileFindings(file: string, jail: ReadyJail, account: Account | null): Promise<DoctorFinding[]> {
  const closed = await notReadableBy(account, file)
  const found: DoctorFinding[] = closed === null ? [] : [closed]
  let sample: LogSample
  try {
    sample = sampleLog(file, await timesOf(jail))
  } catch (error) {
    return closed === null ? [problem('logs', `${file}: ${whyUnreadable(error)}`, `ls -l ${file}`)] : found
  }
  const now = Date.now()
  const age = now - sample.writtenAt
  if (sample.size === 0) found.push(ok('logs', `${file} is read for ${jail.name}, and empty so far`))
  else if (age > longSilenceMs)
    found.push(
      note(
        'logs',
        `nothing was written to ${file} for ${duration(age)}`,
        `if ${jail.name} logs elsewhere now: ${otherSource(jail)}`,
      ),
    )
  else if (closed === null)
    found.push(ok('logs', `${file} is read for ${jail.name}, and was written to ${duration(Math.max(0, age))} ago`))
  // Who reads fields knows by himself which is the time.
  if (jail.filter.structure === null)
    found.push(...dateFindings(file, sample, { test: testOf(jail), zone: zoneOf(jail), now }))
  return [...found, ...proxyFindings(file, sample, jail)]
}

/** How a jail is told of the time zone of its dates. */
function zoneOf({ name, fail2ban }: ReadyJail): string {
  return fail2ban === null
    ? `write jails: { ${name}: { timezone: … } }`
    : `write [${name}] logtimezone = … in ${fail2ban.folder}/jail.local`
}

/** What tries the filter of a jail on a log. */
function testOf({ name, filter, fail2ban }: ReadyJail): string {
  return fail2ban === null
    ? `bailiff test ${filter.name.split('/')[0] ?? ''}`
    : `bailiff test --fail2ban ${fail2ban.folder} ${name}`
}

/** Asks the kernel as that user, so that access lists count too. Null: it may, or nobody else is to read it. */
async function notReadableBy(account: Account | null, file: string): Promise<DoctorFinding | null> {
  try {
    if (account === null) accessSync(file, constants.R_OK)
    else {
      const groups = account.groups.join(',')
      const words = [`--reuid=${account.uid}`, `--regid=${account.gid}`, `--groups=${groups}`, '--', 'test', '-r', file]
      await run('setpriv', words, { timeout: 5000, cwd: '/' })
    }
    return null
  } catch (error) {
    if (account !== null && (!(error instanceof Error) || !('code' in error) || error.code !== 1)) return null
    const who = account?.name ?? 'this user'
    return problem(
      'logs',
      `${who} may not read ${file}`,
      `usermod -aG "$(stat -c %G ${file})" ${who}, or setfacl -m u:${who}:r ${file}`,
    )
  }
}

async function journalFindings(
  { name }: ReadyJail,
  options: unknown,
  account: Account | null,
): Promise<DoctorFinding[]> {
  const {
    units = [],
    matches = [],
    directory,
    file,
  } = options as {
    readonly units?: unknown
    readonly matches?: unknown
    readonly directory?: unknown
    readonly file?: unknown
  }
  if (directory !== undefined || file !== undefined) return [ok('logs', `${name} reads journal files that are named`)]
  const named = [units].flat().filter((unit): unit is string => typeof unit === 'string')
  const plain = named.filter((unit) => /^[\w.@:-]+$/.test(unit)).map((unit) => `--unit=${unit.replace('@.', '@*.')}`)
  const fields = [matches].flat().filter((one): one is string => typeof one === 'string' && /^(?:\+$|[A-Z_])/.test(one))
  try {
    const words = ['--quiet', '--no-pager', '--lines=1', '--output=short-unix', ...plain, ...fields]
    const { stdout } = await run('journalctl', words, { timeout: 10_000, maxBuffer: 1 << 20 })
    const seconds = Number(/^(\d+)\./.exec(stdout)?.[1])
    const reader = account === null ? '' : ` (the agent is in ${counted(account.groups.length, 'group')})`
    return Number.isFinite(seconds)
      ? [
          ok(
            'logs',
            `the journal is read for ${name}, its last line is ${duration(Date.now() - seconds * 1000)} old${reader}`,
          ),
        ]
      : [note('logs', `the journal has no line for ${name} yet`, `journalctl ${[...plain, ...fields].join(' ')}`)]
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return [
      problem(
        'logs',
        gone ? `there is no journalctl, so ${name} sees nothing` : `the journal cannot be read for ${name}`,
        gone ? 'apt-get install systemd, or name a file as source' : 'journalctl --lines=1',
      ),
    ]
  }
}
