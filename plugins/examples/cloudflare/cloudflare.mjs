import { hostname } from 'node:os'
import { defineAction } from 'bailiff/plugin'
import { ListsApi } from './lists-api.mjs'

const tokenName = 'CLOUDFLARE_API_TOKEN'
const mostAtOnce = 1000

/**
 * Keeps banned addresses in an IP list of Cloudflare, which a rule of the firewall there blocks:
 * `ip.src in $bailiff`. Lists know no ports and no end: bans are taken out again when they end.
 */
export default defineAction({
  options: {
    type: 'object',
    properties: {
      account: { type: 'string', pattern: '^[0-9a-f]{32}$', description: 'the ID of the account' },
      list: { type: 'string', pattern: '^[0-9a-f]{32}$', description: 'the ID of the IP list, which must be there' },
      owner: {
        type: 'string',
        pattern: '^[A-Za-z0-9._-]{1,60}$',
        description:
          'what marks the items of this agent, where several share a list; unless said, the name of the machine',
      },
      api: {
        type: 'string',
        pattern: '^https?://[^?#]+[^/?#]$',
        default: 'https://api.cloudflare.com/client/v4',
        description: 'where the API is; another one only for tests, or a proxy on this machine',
      },
    },
    required: ['account', 'list'],
    additionalProperties: false,
  },

  start() {
    if (!process.env[tokenName])
      throw new Error(
        `${tokenName} is not set: a token with the right to edit account filter lists, in the environment of the agent`,
      )
  },

  async ban(ban, host) {
    const [refused] = await addAll([ban], host)
    if (refused) throw new Error(refused.reason)
  },
  unban: (ban, host) => removeAll([ban], host),
  banMany: addAll,
  unbanMany: removeAll,

  async sync(bans, host) {
    const api = apiOf(host)
    const items = await api.items()
    const wanted = new Set(bans.map(({ prefix }) => prefix))
    const there = new Set(items.map(({ ip }) => ip))
    const gone = items.filter(({ ip, comment }) => isOurs(comment, host) && !wanted.has(ip))
    await inParts(
      gone.map(({ id }) => id),
      (ids) => api.remove(ids),
    )
    const missing = bans.filter(({ prefix }) => !there.has(prefix))
    host.log.info(
      { there: there.size, added: missing.length, removed: gone.length },
      'the list of Cloudflare is compared',
    )
    return addAll(missing, host)
  },
})

async function addAll(bans, host) {
  const api = apiOf(host)
  const refused = bans.filter(({ prefix }) => isTooWide(prefix))
  const items = bans
    .filter(({ prefix }) => !isTooWide(prefix))
    .map(({ prefix, jail }) => ({ ip: prefix, comment: commentOf(jail, host) }))
  await inParts(items, (part) => api.add(part))
  return refused.map(({ prefix }) => ({
    prefix,
    reason: 'a list of Cloudflare takes at most a /8 of IPv4 and a /12 of IPv6',
  }))
}

async function removeAll(bans, host) {
  const api = apiOf(host)
  const gone = new Set(bans.map(({ prefix }) => prefix))
  const ids = (await api.items()).filter(({ ip, comment }) => isOurs(comment, host) && gone.has(ip)).map(({ id }) => id)
  await inParts(ids, (part) => api.remove(part))
}

function apiOf({ options, signal }) {
  return new ListsApi({ ...options, token: process.env[tokenName] ?? '', signal })
}

async function inParts(all, work) {
  for (let at = 0; at < all.length; at += mostAtOnce) await work(all.slice(at, at + mostAtOnce))
}

function isTooWide(prefix) {
  const [address = '', length] = prefix.split('/')
  return length !== undefined && Number(length) < (address.includes(':') ? 12 : 8)
}

function commentOf(jail, host) {
  return `${markOf(host)}${jail}`.slice(0, 100)
}

function isOurs(comment, host) {
  return typeof comment === 'string' && comment.startsWith(markOf(host))
}

/** By this we know which items of the list are ours; those of others stay. */
function markOf({ options }) {
  return `bailiff@${options.owner ?? hostname()}: `
}
