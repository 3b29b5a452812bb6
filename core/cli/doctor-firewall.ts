import { accessSync, constants, readFileSync } from 'node:fs'
import { describeError } from '../errors.ts'
import { proveBite } from './bite-trial.ts'
import { note, ok, problem, type DoctorFinding } from './finding.ts'

/** `CAP_NET_ADMIN` of linux/capability.h. */
const netAdmin = 12n

/** Rights over the firewall, the programs it needs, and the proof that a ban keeps packets away. */
export async function firewallFindings(proof: boolean): Promise<DoctorFinding[]> {
  if (process.platform !== 'linux')
    return [problem('firewall', `${process.platform} has no nftables`, 'run Bailiff on Linux')]
  const found = programFindings()
  if (process.geteuid?.() !== 0) return found
  if (!mayChangeFirewall())
    return [
      ...found,
      problem(
        'firewall',
        'this root may not change the firewall: it lacks CAP_NET_ADMIN, as in an unprivileged container',
        'give the container --cap-add=NET_ADMIN and the network of its host',
      ),
    ]
  if (!proof) return found
  try {
    const { outcome, text } = await proveBite()
    if (outcome === 'bites') return [...found, ok('proof', text)]
    if (outcome === 'unknown')
      return [...found, note('proof', text, 'bailiff ban 192.0.2.7 --for 1m, then see "bailiff status"')]
    return [...found, problem('proof', text, 'nft list table inet bailiff, and see the log of the agent')]
  } catch (error) {
    const text = `the firewall helper does not work: ${describeError(error)}`
    return [...found, problem('proof', text, 'modprobe nf_tables, or install nftables and perl-base')]
  }
}

function programFindings(): DoctorFinding[] {
  const nft = isProgram(['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft', '/usr/local/sbin/nft'])
  const perl = isProgram(['/usr/bin/perl', '/bin/perl', '/usr/local/bin/perl'])
  if (perl && nft) return [ok('firewall', 'nftables is spoken to by netlink, and the program nft is there')]
  if (perl)
    return [
      note(
        'firewall',
        'nftables is spoken to by netlink; the program nft, to look yourself, is missing',
        'apt-get install nftables',
      ),
    ]
  if (nft)
    return [
      note(
        'firewall',
        'there is no perl, so the slower program nft is used in place of netlink',
        'apt-get install perl-base',
      ),
    ]
  return [
    problem(
      'firewall',
      'there is neither perl nor nft, so nftables cannot be reached',
      'apt-get install nftables perl-base',
    ),
  ]
}

function isProgram(paths: readonly string[]): boolean {
  return paths.some((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Root of a container may lack it. */
function mayChangeFirewall(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${effective}`) & (1n << netAdmin)) !== 0n
}
