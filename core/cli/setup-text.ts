/** What setup tells people. */
import type { Address } from '../address.ts'
import { BailiffError, printable } from '../errors.ts'
import { loadSettings } from '../settings/load-settings.ts'
import type { HostFacts } from './host-facts.ts'
import { styled } from './output.ts'
import type { Proposal } from './setup-proposal.ts'
import { table } from './table.ts'

/** What was found, a line each. */
export function hostText({ filters, firewalls, banPrograms, host }: HostFacts, session: Address | null): string {
  const usual = filters.filter((each) => each.usual)
  const lines = [
    usual.length === 0
      ? 'No service was found that Bailiff has a filter for.'
      : table(
          ['SERVICE', 'FOUND BY', 'FILTER', 'LINES'],
          usual.map(({ service, filter, source }) => [service.name, service.sign, filter, source]),
        ),
  ]
  for (const { name, meaning } of firewalls) lines.push(`${name}: ${meaning}.`)
  for (const { name, running, switchOff } of banPrograms)
    lines.push(
      running
        ? styled(
            'yellow',
            `${name} bans here already. Run "bailiff run --observe" beside it first; to change over: ${switchOff}`,
          )
        : `${name} is installed and does not run.`,
    )
  if (host.isLive) lines.push(...firewallText(host.has('/usr/sbin/nft'), host.has('/usr/bin/perl')))
  const unseen = filters.filter(
    ({ usual: isUsual, sourceState, service }) => isUsual && service.runs && sourceState !== 'there',
  )
  for (const { service, source } of unseen)
    lines.push(
      styled('yellow', `${service.name} runs, but its lines are nowhere yet: ${source}.${mendLog(service.name)}`),
    )
  if (session !== null)
    lines.push(
      `You are logged in from ${session}: "--ignore-session" writes into the configuration that it is never banned.`,
    )
  return `${lines.join('\n')}\n`
}

/** The file as it would be written. */
export function proposalText(file: string, { yaml }: Proposal): string {
  return `${styled('bold', `${printable(file)}:`)}\n\n${yaml.replaceAll(/^(?=.)/gm, '  ').trimEnd()}\n`
}

/** What of the proposal an existing configuration does not have. */
export async function missingText(config: string, { jails }: Proposal): Promise<string> {
  const kept = `${styled('bold', printable(config))} is there already and is not changed.`
  try {
    const { jails: own, broken } = await loadSettings({ file: config })
    const known = new Set([...own.map(({ filter }) => filter.name), ...own.map(({ name }) => name), ...broken])
    const missing = jails.filter(({ jail, on }) => on && !known.has(jail))
    if (missing.length === 0) return `${kept} It has a jail for everything that would be proposed.`
    const names = missing.map(
      ({ jail, ports }) => `${jail}: ${ports === null ? 'on' : `{ ports: [${ports.join(', ')}] }`}`,
    )
    return `${kept} It has no jail for:\n  ${names.join('\n  ')}\nWrite them below "jails:", or see the whole proposal with --beside.`
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    return `${kept} It is not right: "bailiff check --config ${printable(config)}" says why.`
  }
}

function firewallText(nft: boolean, perl: boolean): string[] {
  if (nft || perl) return []
  return [
    styled('red', 'There is neither nft nor perl, so Bailiff cannot reach the firewall: apt-get install nftables'),
  ]
}

function mendLog(service: string): string {
  return service === 'OpenSSH'
    ? ' Where no systemd runs, "apt-get install rsyslog" and its rsyslogd make /var/log/auth.log.'
    : ''
}
