import { resolve } from 'node:path'
import { BailiffError, describeError, exitCodes, printable } from '../errors.ts'
import { HostTree } from '../host-look/host-tree.ts'
import { runningProcesses } from '../host-look/processes.ts'
import { agentSettings } from './agent-settings.ts'
import { asTyped } from './as-typed.ts'
import { check, type Findings } from './check-configuration.ts'
import { agentFindings } from './doctor-agent.ts'
import { firewallFindings } from './doctor-firewall.ts'
import { clockFindings, machineFindings, neighbourFindings } from './doctor-host.ts'
import { lockOutFindings } from './doctor-lock-out.ts'
import { logFindings } from './doctor-logs.ts'
import { pluginFindings } from './doctor-plugins.ts'
import { rightsFindings } from './doctor-rights.ts'
import { storeFindings } from './doctor-store.ts'
import type { DoctorOptions } from './doctor.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'
import { counted, print, styled } from './output.ts'
import type { Settings } from '../settings/load-settings.ts'

const styles = { ok: 'green', note: 'yellow', problem: 'red' } as const
const mostTold = 5

/** Examines the host and tells, each thing as soon as it is known. Returns the exit code. */
export async function examine(options: DoctorOptions): Promise<number> {
  const findings: DoctorFinding[] = []
  const tell = (found: readonly DoctorFinding[]) => {
    const told = found.map((each) => ({ ...each, text: printable(each.text), mend: each.mend && asTyped(each.mend) }))
    findings.push(...told)
    if (!options.json) for (const each of told) print(lineOf(each))
  }
  const look = async (subject: string, work: () => readonly DoctorFinding[] | Promise<readonly DoctorFinding[]>) =>
    tell(
      await Promise.resolve()
        .then(work)
        .catch((error: unknown) => [note(subject, `cannot be looked at: ${describeError(error)}`)]),
    )
  const host = new HostTree(resolve(options.root))
  const processes = runningProcesses(host)
  await look('machine', () => machineFindings(host))
  await look('clock', () => clockFindings(host, processes))
  const { settings, checked } = await readConfiguration(options, tell)
  await look('rights', () => rightsFindings(settings))
  await look('plugins', () => pluginFindings(settings))
  await look('firewall', () => firewallFindings(options.proof && host.isLive))
  await look('neighbours', () => neighbourFindings(host, processes))
  if (checked !== null) await look('logs', () => logFindings(checked.jails, settings))
  await look('lock-out', () => lockOutFindings(host, checked?.jails ?? []))
  await look('agent', () => agentFindings(options))
  if (settings !== null) await look('store', () => storeFindings(settings))
  const count = (grade: DoctorFinding['grade']) => findings.filter((each) => each.grade === grade).length
  const [problems, notes] = [count('problem'), count('note')]
  if (options.json) print(JSON.stringify({ findings, problems, notes }, null, 2))
  else print(`\n${counted(problems, 'problem')}, ${counted(notes, 'note')}, ${count('ok')} ok`)
  return problems === 0 ? 0 : exitCodes.unavailable
}

function lineOf({ grade, subject, text, mend }: DoctorFinding): string {
  const head = `${styled(styles[grade], grade.padEnd(7))}  ${subject}: ${printable(text)}`
  return mend === null ? head : `${head}\n           ${styled('dim', '→')} ${printable(mend)}`
}

/** What can be known of the jails goes on where a part of the configuration is wrong. */
async function readConfiguration(
  { config, fail2ban }: DoctorOptions,
  tell: (found: readonly DoctorFinding[]) => void,
): Promise<{ readonly settings: Settings | null; readonly checked: Findings | null }> {
  try {
    const choice = { ...(config === undefined ? {} : { config }), ...(fail2ban === undefined ? {} : { fail2ban }) }
    const checked = await check(choice)
    const named = Object.entries(choice).map(([option, value]) => ` --${option} ${value}`)
    tell(configurationFindings(checked, `bailiff check${named.join('')}`))
    const settings = checked.problems.length === 0 || fail2ban !== undefined ? await agentSettings(choice) : null
    return { settings, checked }
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    const missing = error.kind === 'no-input'
    tell([problem('configuration', error.message, missing ? 'bailiff setup' : (error.hint ?? null))])
    return { settings: null, checked: null }
  }
}

function configurationFindings({ file, jails, problems, warnings }: Findings, command: string): DoctorFinding[] {
  const told = problems.slice(0, mostTold).map((each) => problem('configuration', describeFirst(each), command))
  if (problems.length > mostTold)
    told.push(problem('configuration', `${problems.length - mostTold} more problems`, command))
  if (jails.length === 0 && problems.length === 0)
    told.push(
      problem(
        'configuration',
        `${file ?? 'it'} switches no jail on`,
        'write jails: { sshd: on }, or see "bailiff setup --dry-run"',
      ),
    )
  // What is missing is told with the logs.
  const others = warnings.filter(({ message }) => !/^there is no |^no file is meant/.test(message))
  for (const warning of others.slice(0, mostTold))
    told.push(note('configuration', describeFirst(warning), warning.hint ?? command))
  if (others.length > mostTold) told.push(note('configuration', `${others.length - mostTold} more warnings`, command))
  return told.length > 0
    ? told
    : [
        ok(
          'configuration',
          `${file ?? 'it'} is right: ${counted(jails.length, 'jail')}, ${jails
            .map(({ name }) => name)
            .slice(0, 20)
            .join(', ')}`,
        ),
      ]
}

/** Without the hint, which stands below. */
function describeFirst(error: BailiffError): string {
  return describeError(error).split('\n')[0] ?? error.message
}
