import { parsePrefix, PrefixSet, prefixParts, type Prefix } from '../address.ts'
import { NeverBanned } from '../firewall/never-banned.ts'
import type { HostTree } from '../host-look/host-tree.ts'
import { ownSession } from '../host-look/own-session.ts'
import type { ReadyJail } from '../jails.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'
import { counted } from './output.ts'

/** Shorter prefixes spare a good part of all attackers. */
const widest = { 4: 8, 6: 20 } as const

/** Who could be locked out that must not, and whom ignoreip spares that it should not. */
export function lockOutFindings(host: HostTree, jails: readonly ReadyJail[]): DoctorFinding[] {
  const session = ownSession(host, process.env, process.pid)
  const spared = new NeverBanned().at(performance.now())
  const isVital = (prefix: Prefix) => new PrefixSet(spared.map((each) => each.prefix)).covering(prefix) !== undefined
  const count = (reason: string) => spared.filter((each) => each.reason === reason).length
  const found: DoctorFinding[] = [
    ok(
      'lock-out',
      `never banned: ${counted(count('own'), 'address')} of this machine, ${counted(count('gateway'), 'gateway')}, ${counted(count('resolver'), 'name server')}, ${counted(count('never-ban'), 'line')} of firewall.conf`.replace(
        'addresss',
        'addresses',
      ),
    ),
  ]
  const exposed = jails.filter(
    (jail) =>
      jail.mode === 'enforce' && session !== null && new PrefixSet(ignoredBy(jail)).covering(session) === undefined,
  )
  if (session !== null && !isVital(session))
    found.push(
      exposed.length === 0
        ? ok('lock-out', `${session}, from where you are logged in, is ignored by every jail`)
        : note(
            'lock-out',
            `you are logged in from ${session}, and ${exposed[0]?.name} would ban it`,
            `write it below ignoreip, or: bailiff allow ${session} --for 2h`,
          ),
    )
  const wide = new Set(jails.flatMap((jail) => ignoredBy(jail).filter(isWide)))
  for (const prefix of wide)
    found.push(problem('lock-out', `ignoreip has ${prefix}, which spares whole continents`, 'write narrower prefixes'))
  return found
}

/** The addresses and networks that a jail ignores by themselves, not those of names. */
function ignoredBy({ ignore, fail2ban }: ReadyJail): readonly Prefix[] {
  return fail2ban === null ? ignore.prefixes : fail2ban.gate.ignoreip.flatMap((word) => parsePrefix(word) ?? [])
}

function isWide(prefix: Prefix): boolean {
  const { family, length } = prefixParts(prefix)
  return length < widest[family]
}
