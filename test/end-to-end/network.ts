/**
 * Two network namespaces joined by a cable: the victim, where sshd, the firewall and the agent live,
 * and the outside with many addresses, each of which is another host to the victim. Names hold the
 * pid of the test, so that runs do not meet, and what a killed run left behind is removed by the next.
 */
import { spawnSync } from 'node:child_process'
import { which } from '../suite.ts'

/** The addresses of the victim. */
export const victim = { v4: '192.0.2.1', v6: '2001:db8:0:1::1' } as const

/** How many addresses of each family the outside has. */
const hosts = 40

/** The outside host `index` (0 to 39). */
export const outside = {
  v4: (index: number): string => `192.0.2.${100 + index}`,
  /** Hosts 0 and 1, 2 and 3, … share a /64. */
  v6: (index: number): string => `2001:db8:${(index >> 1) + 1}::${10 + (index & 1)}`,
}

export interface Network {
  /** The words that run the rest of the command line in the namespace. */
  readonly inVictim: readonly string[]
  readonly inOutside: readonly string[]
  close(): void
}

/** Makes the two namespaces. Throws with the words of `ip` where the machine does not allow it. */
export function createNetwork(label: string): Network {
  const mine = `bailiff-${process.pid}-${label}`
  const names = { victim: `${mine}-victim`, outside: `${mine}-outside` }
  removeLeftovers()
  try {
    ip(['netns', 'add', names.victim])
    ip(['netns', 'add', names.outside])
    ip(['-n', names.victim, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', names.outside])
    configure(names.victim, [`${victim.v4}/24`, `${victim.v6}/32`])
    const each = Array.from({ length: hosts }, (_, index) => index)
    configure(names.outside, [
      ...each.map((index) => `${outside.v4(index)}/24`),
      ...each.map((index) => `${outside.v6(index)}/32`),
    ])
  } catch (error) {
    removeNamespaces(Object.values(names))
    throw error
  }
  const inside = (name: string) => [which('ip') ?? 'ip', 'netns', 'exec', name]
  return {
    inVictim: inside(names.victim),
    inOutside: inside(names.outside),
    close: () => removeNamespaces(Object.values(names)),
  }
}

function configure(namespace: string, addresses: readonly string[]): void {
  const lines = addresses.map((address) => `address add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`)
  ip(['-n', namespace, '-batch', '-'], [...lines, 'link set lo up', 'link set eth0 up', ''].join('\n'))
}

/** Removes namespaces of runs whose process is gone. */
function removeLeftovers(): void {
  const stale = ip(['netns', 'list'])
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => /^bailiff-\d+-.*-(?:victim|outside)$/.test(name) && !isAlive(Number(name.split('-')[1])))
  removeNamespaces(stale)
}

function removeNamespaces(names: readonly string[]): void {
  for (const name of names) spawnSync(which('ip') ?? 'ip', ['netns', 'delete', name], { stdio: 'ignore' })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function ip(words: readonly string[], input = ''): string {
  const done = spawnSync(which('ip') ?? 'ip', words, { input, encoding: 'utf8', timeout: 10_000 })
  if (done.status !== 0) throw new Error(`ip ${words.join(' ')}: ${done.stderr || done.error?.message}`)
  return done.stdout
}
