import { BailiffError } from '../errors.ts'
import type { StatusReport } from '../control/api.ts'
import { agentAt, type SocketOptions } from './agent-socket.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'
import { counted } from './output.ts'

/** What the running agent says of itself. That none runs is only a note: doctor is for before the first start, too. */
export async function agentFindings({ config, socket }: SocketOptions): Promise<DoctorFinding[]> {
  const named = { ...(config === undefined ? {} : { config }), ...(socket === undefined ? {} : { socket }) }
  try {
    const agent = await agentAt(named)
    return statusFindings(await agent.status())
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    if (error.kind === 'config') return []
    return [note('agent', error.message, `bailiff run${config === undefined ? '' : ` --config ${config}`}`)]
  }
}

function statusFindings(report: StatusReport): DoctorFinding[] {
  const { pid, jails, bans, observe, pausedSince, findings, actions, problems, logs } = report
  const found: DoctorFinding[] = [
    ok(
      'agent',
      `process ${pid} runs ${counted(jails.filter(({ jail }) => jail !== 'manual').length, 'jail')}, with ${counted(bans, 'ban')}`,
    ),
  ]
  if (pausedSince !== null) found.push(problem('agent', 'the firewall is paused: no ban is in force', 'bailiff resume'))
  if (observe) found.push(note('agent', 'it only observes: nobody is banned', 'take "observe" away and start it anew'))
  // What is forgeable the configuration tells already, also while no agent runs.
  for (const { jail, log, grade, what, mend } of findings.filter((each) => each.grade !== 'forgeable'))
    found.push((grade === 'blind' ? problem : note)('agent', `${jail} and ${log}: ${what}`, mend))
  for (const { action, failure } of actions)
    if (failure !== null)
      found.push(problem('agent', `the action ${action} fails: ${failure}`, 'see the log of the agent'))
  if (actions.some(({ action }) => action === 'memory'))
    found.push(
      note('agent', 'the action "memory" only remembers bans: nobody is kept out by it', 'write actions: [firewall]'),
    )
  for (const { jail, afterBan } of jails)
    if (afterBan.lines > 0)
      found.push(
        problem(
          'agent',
          `${afterBan.lines} lines of ${jail} came from banned addresses, the last from ${afterBan.last}: its bans do not bite`,
          'the log of the agent has the likely cause; behind a proxy: trusted_proxies',
        ),
      )
  for (const each of problems) found.push(problem('agent', each.split('\n')[0] ?? each, 'bailiff check'))
  const behind = logs.filter(({ bytesBehind }) => bytesBehind > 1 << 20)
  for (const { log } of behind.slice(0, 5)) found.push(note('agent', `it is behind in ${log}`, 'bailiff status'))
  return found
}
