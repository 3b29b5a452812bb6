import { dirname } from 'node:path'
import { BailiffError, exitCodes, printable } from '../errors.ts'
import { install, type Installed, type Proposal } from '../packages/install.ts'
import { PluginHosts } from '../plugin-host/plugin-hosts.ts'
import { PluginFolder } from '../packages/plugin-folder.ts'
import { readWanted } from '../packages/wanted-package.ts'
import { confirm } from './confirm.ts'
import { loadEngines } from './load-engines.ts'
import { print } from './output.ts'
import { writablePluginFolder } from './plugin-place.ts'
import { proposalText, useText } from './plugin-proposal.ts'
import type { PluginOptions } from './plugin.ts'
import { triedAs } from './tried-as.ts'

/**
 * Installs a package. Returns the exit code: 0, also where it is installed already, or 75 where the person did not
 * consent. Throws a BailiffError, and nothing has changed.
 */
export async function addPackage(what: string, options: PluginOptions): Promise<number> {
  const wanted = readWanted(what)
  const { folder, releaseAgeMs } = await writablePluginFolder(options.config)
  const engines = await loadEngines()
  const hosts = new PluginHosts({ user: triedAs(dirname(folder)) })
  const installed = await PluginFolder.change(folder, (plugins) =>
    install(plugins, wanted, {
      engines,
      hosts,
      step,
      consent: (proposal) => consent(proposal, options),
      releaseAgeMs: options.anyAge ? 0 : releaseAgeMs,
    }).finally(() => hosts.stop()),
  )
  if (options.json) print(JSON.stringify(asRecord(installed), null, 2))
  else printOutcome(installed, options)
  return installed.outcome === 'declined' ? exitCodes['try-again'] : 0
}

/** Says on a terminal what is being done, since the registry may take its time. */
export function step(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${printable(what)} …\n`)
}

/** Shows a proposal and asks. With `--yes` nobody is asked; without a terminal that is needed. */
export async function consent(proposal: Proposal, { yes, json }: PluginOptions): Promise<boolean> {
  if (yes) return true
  // Standard output belongs to whoever reads the JSON.
  if (json || !process.stdin.isTTY) throw unasked(proposal)
  print(proposalText(proposal))
  return confirm(proposal.before === null ? 'Install it?' : 'Install it with what is new?')
}

/** An outcome as scripts read it. */
export function asRecord({ outcome, proposal, entry }: Installed) {
  return {
    outcome,
    package: entry?.name ?? proposal?.description.name ?? null,
    version: proposal?.description.version ?? entry?.version ?? null,
    before: proposal?.before?.version ?? null,
    asked: proposal?.all ?? [],
    more: proposal?.more ?? [],
    filters: proposal?.filters.names ?? [],
    jails: proposal?.jails ?? [],
    signature: proposal?.signature ?? entry?.signature ?? null,
    installScripts: proposal?.installScripts ?? [],
  }
}

/** What became of it, in words. */
export function printOutcome({ outcome, proposal, entry }: Installed, { yes }: PluginOptions): void {
  if (outcome === 'declined') print('nothing was installed')
  if (outcome === 'unchanged' && entry !== null)
    print(`${entry.name} ${entry.version} is installed already, and its files are whole`)
  if (outcome !== 'installed' || proposal === null || entry === null) return
  // Whoever was asked has read it.
  if (yes || proposal.more.length === 0) print(proposalText(proposal))
  print(`\ninstalled ${entry.name} ${entry.version}`)
  if (proposal.before === null)
    print(`  ${printable(useText(entry.name, entry.plugins, proposal.filters.names, proposal.jails))}`)
  else print('  an agent that uses it goes on with the old one until "bailiff reload"')
}

function unasked(proposal: Proposal): BailiffError {
  const { description, before } = proposal
  const what = `${description.name} ${description.version}`
  const message =
    before === null
      ? `${what} was not installed: it asks for what somebody has to consent to`
      : `${what} was not installed, and ${before.version} stays: it asks for more than was consented to`
  return new BailiffError('usage', message, { hint: `${oneLine(proposal)}. With --yes it is installed` })
}

function oneLine({ more }: Proposal): string {
  const each = more.map(({ plugin, capability, name }) => `${plugin}: ${capability}${name === '' ? '' : ` ${name}`}`)
  return each.length > 8 ? `${each.slice(0, 8).join('; ')}; and ${each.length - 8} more` : each.join('; ')
}
