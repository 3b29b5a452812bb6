import { realpath } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { BailiffError, defineAction, quote, type ActionHost } from '../../core/plugin.ts'
import { DenyList, type DenyFileOptions } from './deny-file/deny-list.ts'

const command = z
  .tuple([z.string().refine(isAbsolute, 'the program must be an absolute path')], z.string())
  .describe(
    'Run when the list has changed: the program by its absolute path, then its arguments. No shell is involved.',
  )

const options = z.strictObject({
  path: z
    .string()
    .refine(
      (text) => isAbsolute(text) && !text.endsWith('/') && !text.includes('\0'),
      'expected an absolute path of a file',
    )
    .describe('The file. It is replaced as a whole, so the agent must be allowed to write in its folder.'),
  format: z
    .enum(['nginx', 'nginx-geo', 'haproxy', 'haproxy-map', 'plain'])
    .describe(
      '`deny ADDRESS;` for nginx, `ADDRESS VALUE;` for its geo, ADDRESS for an acl of HAProxy, `ADDRESS VALUE` for its maps.',
    ),
  value: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'expected letters, digits, `.`, `_` and `-`')
    .default('1')
    .describe('What stands behind the address in `nginx-geo` and `haproxy-map`.'),
  reload: command.optional(),
  pause: z.number().min(0).max(5).default(1).describe('Seconds between two reloads, at least.'),
})

/** Whose list a file is, by its path without links; an instance that was ended has none. */
const owners = new Map<string, ActionHost>()
/** After a change of the configuration the instance of before ends a little later. */
const waitMs = 3000

/** One list an instance. */
const lists = new WeakMap<ActionHost, DenyList>()

/**
 * Keeps a file with all who are banned, for a proxy or load balancer that sees the addresses of clients where the
 * firewall sees none. Ports do not matter to it. A ban is carried out when the file is written and reloaded.
 */
export default defineAction<DenyFileOptions>({
  options,
  start: own,
  stop(host) {
    for (const [path, owner] of owners) if (owner === host) owners.delete(path)
  },
  ban: (ban, host) => change(host, (list) => list.add([ban])),
  unban: (ban, host) => change(host, (list) => list.remove([ban])),
  banMany: (bans, host) => change(host, (list) => list.add(bans)),
  unbanMany: (bans, host) => change(host, (list) => list.remove(bans)),
  syncEach: (bans, host) => change(host, (list) => list.replace(bans)),
})

async function change(host: ActionHost<DenyFileOptions>, make: (list: DenyList) => void): Promise<void> {
  const list = lists.get(host) ?? new DenyList(host)
  lists.set(host, list)
  make(list)
  await list.settle()
}

/** Takes the file for this instance: two lists in one file would undo each other. */
async function own(host: ActionHost<DenyFileOptions>): Promise<void> {
  const { path } = host.options
  const target = await realpath(path).catch(() => path)
  const isTaken = () => (owners.get(target) ?? host) !== host
  const until = performance.now() + waitMs
  while (isTaken() && performance.now() < until) await sleep(50, undefined, { signal: host.signal })
  if (isTaken())
    throw new BailiffError(
      'config',
      `the file ${quote(path)} is written by ${owners.get(target)?.name ?? ''} already, and two lists in one would undo each other`,
      { hint: 'give each deny-file a file of its own, or both jails the same options: then they share one list' },
    )
  owners.set(target, host)
}
