/** What `bailiff status` says to people. */
import type { AddressReport, BanReport, Finding, JailReport, JailSummary, StatusReport } from '../control/api.ts'
import { printable } from '../errors.ts'
import { listOfJail, type PluginHostState } from '../events.ts'
import { asTyped } from './as-typed.ts'
import { allowTable, listTable } from './agent-tables.ts'
import { logRows, namesOfLogs } from './log-rows.ts'
import { counted, duration, ending, styled } from './output.ts'
import { table, type Cell } from './table.ts'

/** The agent at a glance. */
export function statusText(report: StatusReport): string {
  const { version, pid, startedAt, config, jails, logs, actions, problems, lists, allowed, findings, pluginHosts } =
    report
  const observing = report.observe ? styled('yellow', ' (observing: nobody is banned)') : ''
  const sections = [
    `bailiff ${version}, process ${pid}, up ${duration(Date.now() - startedAt)}, ${config}${observing}`,
    jailsTable(jails),
    table(['LOG', 'LINES', 'SKIPPED', 'BEHIND', 'STATE'], logRows(logs)),
    table(
      ['ACTION', 'PENDING', 'STATE'],
      actions.map(({ action, pending, failure }) => [
        action,
        pending,
        failure === null ? 'ok' : { text: failure, style: 'red' },
      ]),
    ),
  ]
  if (pluginHosts.length > 0) sections.push(pluginTable(pluginHosts))
  if (lists.length > 0) sections.push(listTable(lists))
  if (allowed.length > 0) sections.push(allowTable(allowed))
  if (actions.some(({ action }) => action === 'memory')) {
    sections.push(
      styled('yellow', 'The action "memory" only remembers bans: in the in-memory firewall nothing is protected.'),
    )
  }
  sections.push(...findings.map(findingText), ...jails.flatMap(afterBanText))
  if (report.pausedSince !== null) sections.push(pausedText(report.pausedSince))
  if (problems.length > 0) sections.push(styled('red', ['Set aside:', ...problems].join('\n  ')))
  return sections.join('\n\n')
}

/** One jail with some of its bans; `more`: there are others. */
export function jailText(report: Omit<JailReport, 'bans'>, bans: readonly BanReport[], more: boolean): string {
  const {
    jail,
    mode,
    rules,
    treeActions,
    logs,
    sourceChoice,
    failures,
    ignored,
    tracked,
    bannedTotal,
    banned,
    wouldBan,
  } = report
  const how =
    rules === null
      ? 'no jail of the configuration'
      : `filter ${rules.filter}, ban after ${rules.maxretry} failures in ${duration(rules.findtimeMs)}`
  const since = mode === 'observe' ? 'would have banned since the start' : 'bans since the start'
  return [
    printable(`${jail} (${mode}): ${how}`),
    printable(`logs: ${namesOfLogs(logs)}${sourceChoice === null ? '' : ` (${sourceChoice})`}`),
    ...(treeActions ?? []).map((line) => printable(`not run: action ${line}`)),
    `${counted(failures, 'failure')}, ${ignored} ignored, ${tracked} ${tracked === 1 ? 'address' : 'addresses'} tracked, ${since}: ${bannedTotal}`,
    ...report.findings.map(findingText),
    ...(report.pausedSince === null ? [] : [pausedText(report.pausedSince)]),
    '',
    bans.length === 0 ? (mode === 'observe' ? 'Nobody would be banned.' : 'Nobody is banned.') : bansTable(bans),
    ...(more ? [`… and ${Math.max(1, banned + wouldBan - bans.length)} more: --all shows them, --json has all`] : []),
  ].join('\n')
}

/** What is known of an address. */
export function addressText({ prefix, bans, spared, failures }: AddressReport): string {
  const sections =
    bans.length === 0
      ? [`${prefix} is not banned. ${asTyped(`"bailiff explain ${prefix}" says why.`)}`]
      : [bansTable(bans, true)]
  if (spared !== null) sections.push(styled('yellow', `Nothing bans it: ${printable(spared)}.`))
  if (failures.length > 0)
    sections.push(
      table(
        ['JAIL', 'FAILURES NOW', 'BANNED AT'],
        failures.map(({ jail, failures: count, maxretry }) => [jail, count, maxretry]),
      ),
    )
  return sections.join('\n\n')
}

function jailsTable(jails: readonly JailSummary[]): string {
  // Only who observes something wants to know of it.
  const observing = jails.some(({ mode, wouldBan }) => mode === 'observe' || wouldBan > 0)
  const row = (jail: JailSummary): Cell[] => [
    jail.jail,
    jail.mode,
    jail.failures,
    jail.ignored,
    jail.tracked,
    jail.banned,
    jail.bannedTotal,
    ...(observing ? [jail.wouldBan] : []),
  ]
  const headings = ['JAIL', 'MODE', 'FAILURES', 'IGNORED', 'TRACKED', 'BANNED', 'TOTAL']
  return table([...headings, ...(observing ? ['WOULD BE BANNED'] : [])], jails.map(row))
}

/** The hosts of plugins; one that is not well says what it did. */
function pluginTable(hosts: readonly PluginHostState[]): string {
  return table(
    ['PLUGIN', 'STATE', 'MEMORY', 'RESTARTS', 'LAST FAULT'],
    hosts.map(({ plugin, state, memoryBytes, restarts, lastFault, startsAgainAt }) => {
      const again =
        startsAgainAt === null ? '' : `, starts again in ${duration(Math.max(0, startsAgainAt - Date.now()))}`
      const fault =
        lastFault === null ? '' : `${lastFault.what} (${duration(Math.max(0, Date.now() - lastFault.at))} ago)`
      return [
        plugin,
        state === 'set aside' || state === 'restarting' ? { text: `${state}${again}`, style: 'red' } : state,
        memoryText(memoryBytes),
        restarts,
        fault,
      ]
    }),
  )
}

/** A matcher in WebAssembly has less than a megabyte as a rule. */
function memoryText(bytes: number): string {
  if (bytes === 0) return ''
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 / 1024)} MiB`
}

function bansTable(bans: readonly BanReport[], withJail = false): string {
  return table(
    ['BANNED', ...(withJail ? ['BY'] : []), 'ENDS', 'TIMES', 'FAILURES', 'STATE'],
    bans.map((ban) => [
      ban.prefix,
      ...(withJail ? [byWhom(ban.jail)] : []),
      ending(ban.until),
      ban.count,
      ban.failures,
      ban.observed ? 'would be banned' : ban.enforced ? 'enforced' : { text: 'pending', style: 'yellow' },
    ]),
  )
}

function byWhom(jail: string): string {
  const list = listOfJail(jail)
  return list === null ? jail : `list ${list}`
}

function findingText({ jail, log, grade, what, mend }: Finding): string {
  const place = log === '' ? jail : `${jail}, ${log}`
  return (
    styled(grade === 'blind' ? 'red' : 'yellow', printable(`${place}: ${what}.`)) + `\n  ${asTyped(printable(mend))}`
  )
}

function afterBanText({ jail, afterBan }: JailSummary): string[] {
  if (afterBan.lines === 0) return []
  const what = `${counted(afterBan.lines, 'line')} came from banned addresses, the last from ${afterBan.last}`
  return [styled('red', `${jail}: ${what}. Its bans do not bite: the log of the agent says why.`)]
}

function pausedText(pausedSince: number): string {
  const since = pausedSince === 0 ? '' : ` since ${new Date(pausedSince).toISOString()}`
  return styled('red', asTyped(`The firewall is paused${since}: no ban is in force. "bailiff resume" ends it.`))
}
