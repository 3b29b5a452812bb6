import type { Command } from 'commander'
import type { JailReport, StatusReport } from '../control/api.ts'
import { addSocketOptions, agentAt, type SocketOptions } from './agent-socket.ts'
import { logRows, namesOfLogs } from './log-rows.ts'
import { duration, ending, print, styled } from './output.ts'
import { table } from './table.ts'

/** `bailiff status`: the agent at a glance, or one jail with its bans. */
export default function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('what the running agent sees and bans')
    .argument('[jail]', 'one jail, with its bans')
    .option('--json', 'the whole report as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  bailiff status\n  bailiff status sshd\n  bailiff status sshd --json | jq -r ".bans[].prefix"',
    )
  addSocketOptions(command).action(async (jail: string | undefined, options: SocketOptions & { json?: true }) => {
    const agent = await agentAt(options)
    const report = jail === undefined ? await agent.status() : await agent.jail(jail)
    if (options.json) print(JSON.stringify(report, null, 2))
    else
      print(
        'bans' in report && Array.isArray(report.bans)
          ? jailText(report as JailReport)
          : statusText(report as StatusReport),
      )
  })
}

function statusText(report: StatusReport): string {
  const { version, pid, startedAt, config, jails, logs, actions, problems } = report
  const observing = report.observe ? styled('yellow', ' (observing: nobody is banned)') : ''
  const sections = [
    `bailiff ${version}, process ${pid}, up ${duration(Date.now() - startedAt)}, ${config}${observing}`,
    table(
      ['JAIL', 'MODE', 'FAILURES', 'IGNORED', 'TRACKED', 'BANNED', 'TOTAL'],
      jails.map((jail) => [
        jail.jail,
        jail.mode,
        jail.failures,
        jail.ignored,
        jail.tracked,
        jail.banned,
        jail.bannedTotal,
      ]),
    ),
    table(['LOG', 'LINES', 'SKIPPED', 'BEHIND', 'STATE'], logRows(logs)),
    table(
      ['ACTION', 'PENDING', 'STATE'],
      actions.map(({ action, pending, failure }) => [action, pending, failure ?? 'ok']),
    ),
  ]
  if (actions.some(({ action }) => action === 'memory')) {
    sections.push(
      styled('yellow', 'The action "memory" only remembers bans: in the in-memory firewall nothing is protected.'),
    )
  }
  for (const { jail, afterBan } of jails) {
    if (afterBan.lines === 0) continue
    const what = `${afterBan.lines} lines came from banned addresses, the last from ${afterBan.last}`
    sections.push(styled('red', `${jail}: ${what}. Its bans do not bite: the log of the agent says why.`))
  }
  if (report.pausedSince !== null) sections.push(pausedText(report.pausedSince))
  if (problems.length > 0) sections.push(styled('red', ['Set aside:', ...problems].join('\n  ')))
  return sections.join('\n\n')
}

function pausedText(pausedSince: number): string {
  const since = pausedSince === 0 ? '' : ` since ${new Date(pausedSince).toISOString()}`
  return styled('red', `The firewall is paused${since}: no ban is in force. "bailiff resume" ends it.`)
}

function jailText(report: JailReport): string {
  const { jail, mode, rules, logs, sourceChoice, failures, ignored, tracked, bannedTotal, bans } = report
  const how =
    rules === null
      ? 'no jail of the configuration'
      : `filter ${rules.filter}, ban after ${rules.maxretry} failures in ${duration(rules.findtimeMs)}`
  return [
    `${styled('bold', jail)} (${mode}): ${how}`,
    `logs: ${namesOfLogs(logs)}${sourceChoice === null ? '' : ` (${sourceChoice})`}`,
    `${failures} failures, ${ignored} ignored, ${tracked} addresses tracked, bans since the start: ${bannedTotal}`,
    ...(report.pausedSince === null ? [] : [pausedText(report.pausedSince)]),
    '',
    bans.length === 0
      ? 'Nobody is banned.'
      : table(
          ['BANNED', 'ENDS', 'TIMES', 'FAILURES', 'STATE'],
          bans.map((ban) => [
            ban.prefix,
            ending(ban.until),
            ban.count,
            ban.failures,
            ban.enforced ? 'enforced' : 'pending',
          ]),
        ),
    ...(report.banned > bans.length ? [`… and ${report.banned - bans.length} more`] : []),
  ].join('\n')
}
