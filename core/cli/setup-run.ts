import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Address } from '../address.ts'
import { BailiffError, describeError, exitCodes } from '../errors.ts'
import { ownSession } from '../host-look/own-session.ts'
import { defaultPlaces } from '../settings/places.ts'
import { asTyped } from './as-typed.ts'
import { confirm } from './confirm.ts'
import { check } from './check-configuration.ts'
import { filtersBeside, lookAtHost, type HostFacts } from './host-facts.ts'
import { print, styled } from './output.ts'
import { nextSteps } from './setup-next-steps.ts'
import { propose, type Proposal } from './setup-proposal.ts'
import { hostText, missingText, proposalText } from './setup-text.ts'
import { makeUsers, planUsers, type UserPlan } from './setup-users.ts'
import { isTaken, writeNew } from './setup-write.ts'
import type { SetupOptions } from './setup.ts'

/** What setup found and did: the object of `--json`. */
interface Outcome {
  /** Where the configuration stands, or would. */
  readonly file: string
  /** The file that was written; null: none. */
  readonly written: string | null
  readonly existed: boolean
  readonly usersMade: readonly string[]
  readonly next: readonly string[]
}

/**
 * Looks, proposes, asks, writes. Returns the exit code. Throws a BailiffError where nobody can be asked, or the file
 * cannot be written.
 */
export async function setUp(options: SetupOptions): Promise<number> {
  const config = resolve(options.config ?? join(defaultPlaces().configFolders.at(-1) ?? '.', 'bailiff.yaml'))
  const facts = await lookAtHost(resolve(options.root), filtersBeside(config))
  const session = ownSession(facts.host, process.env, process.pid)
  const existed = isTaken(config)
  const file = existed && options.beside ? `${config}.proposed` : config
  const users = facts.host.isLive ? planUsers(config) : null
  if (!options.json) print(asTyped(hostText(facts, session)))
  const makeProposal = (ignoreSession: boolean) =>
    propose(facts, { session, ignoreSession, observe: options.observe === true })
  let proposal = makeProposal(options.ignoreSession === true)
  if (!options.json) print(proposalText(file, proposal))
  const problems = await checkProposal(proposal)
  const end = (written: string | null, usersMade: readonly string[]) => {
    const next = nextSteps({ config, written, facts, existed, asked: options }).map((step) => asTyped(step))
    const outcome: Outcome = { file, written, existed, usersMade, next }
    if (options.json) printJson(facts, session, proposal, outcome)
    else if (next.length > 0) print(`\n${styled('bold', 'Next:')}\n  ${next.join('\n  ')}`)
    return problems.length > 0 ? exitCodes.config : 0
  }
  for (const problem of problems) if (!options.json) print(`${styled('red', 'problem')}  ${describeError(problem)}`)
  if (problems.length > 0) return end(null, [])
  if (existed && file === config) {
    if (!options.json) print(asTyped(await missingText(config, proposal)))
    return end(null, [])
  }
  if (options.dryRun || (options.json && !options.yes)) return end(null, [])
  if (!options.yes) {
    if (session !== null && !options.ignoreSession)
      proposal = makeProposal(await confirm(`You are logged in from ${session}. Shall it never be banned?`))
    if (!(await confirm(`Write ${file}?`))) return end(null, [])
  }
  const made = await makeMissingUsers(users, options)
  writeNew(file, proposal.yaml, made.reader)
  if (!options.json) print(`${styled('green', 'written')}  ${file}`)
  if (file === config) await tellProblems(config, options)
  return end(file, made.names)
}

/** The same code as `bailiff check`, on a copy in a private folder. */
async function checkProposal({ yaml }: Proposal): Promise<readonly BailiffError[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-setup-'))
  try {
    const copy = join(folder, 'bailiff.yaml')
    writeFileSync(copy, yaml, { mode: 0o600 })
    return (await check(copy)).problems
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where it stands now, `conf.d` and filters beside it count too. */
async function tellProblems(config: string, { json }: SetupOptions): Promise<void> {
  const { problems, warnings } = await check(config)
  if (json) return
  for (const problem of problems) print(`${styled('red', 'problem')}  ${describeError(problem)}`)
  for (const warning of warnings) print(`${styled('yellow', 'warning')}  ${describeError(warning)}`)
}

async function makeMissingUsers(plan: UserPlan | null, { yes, json, users }: SetupOptions) {
  if (plan === null) return { reader: null, names: [] }
  const reader = process.geteuid?.() === 0 ? plan.agent : null
  // Who is there already is to read what is written, whoever else is to be made.
  if (plan.commands.length === 0 || !users) return { reader, names: [] }
  if (plan.obstacle !== null) {
    const what = `The agent and its firewall helper have no users of their own: ${plan.obstacle}.`
    if (!json) print(`${styled('yellow', 'note')}  ${what}\n  ${plan.commands.join('\n  ')}`)
    return { reader, names: [] }
  }
  const question = `Make users for the agent and its firewall helper?\n  ${plan.commands.join('\n  ')}\n`
  if (!yes && !(await confirm(question))) return { reader, names: [] }
  const made = makeUsers(plan)
  const names = plan.commands.map((command) => command.split(' ').at(-1) ?? '')
  if (!json) print(`${styled('green', 'made')}  the ${names.length === 1 ? 'user' : 'users'} ${names.join(' and ')}`)
  return { reader: made, names }
}

function printJson(facts: HostFacts, session: Address | null, { jails, yaml }: Proposal, outcome: Outcome): void {
  const { services, firewalls, banPrograms, systemd } = facts
  print(JSON.stringify({ ...outcome, services, firewalls, banPrograms, systemd, session, jails, yaml }, null, 2))
}
