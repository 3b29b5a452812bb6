import { defineSource } from 'bailiff/plugin'
import { RedisConnection } from './resp.mjs'

const entriesAtOnce = 500
/** The agent promises that nothing counts twice of what is emitted in calls of at most 1 MiB. */
const bytesAtOnce = 512 * 1024
/** How long Redis waits for entries before it answers that there are none. */
const blockMs = 5000
/** What is older was not written just now. */
const liveMs = 30_000

/**
 * Brings the lines of a stream (https://redis.io/docs/latest/develop/data-types/streams/) by XREAD. Where it is in the stream
 * the agent keeps, together with the bans that came of the lines; so there is no consumer group, and nothing is written to Redis.
 */
export default defineSource({
  options: {
    type: 'object',
    properties: {
      url: {
        type: 'string',
        pattern: '^rediss?://(?:[^/?#@:]*@)?(?:[A-Za-z0-9_.-]+|\\[[0-9A-Fa-f:.]+\\])(?::\\d{1,5})?(?:/\\d{1,4})?$',
        default: 'redis://127.0.0.1:6379',
        description: 'redis://[USER@]HOST[:PORT][/DATABASE]; rediss:// with TLS. The password is in REDIS_PASSWORD',
      },
      stream: { type: 'string', minLength: 1, description: 'the key of the stream' },
      field: {
        type: 'string',
        minLength: 1,
        default: 'line',
        description: 'the field of an entry that holds the line',
      },
    },
    required: ['stream'],
    additionalProperties: false,
  },

  /** Reads from one connection. Where that breaks, or Redis says no, it throws: the agent alarms, and starts it again after a pause. */
  async start(emit, host) {
    const { options, signal } = host
    const url = new URL(options.url)
    const connection = await RedisConnection.open(url, signal)
    try {
      await enter(connection, url)
      let last = host.cursor() ?? `${host.since()}-0`
      for (;;) {
        const reply = await connection.call(
          'XREAD',
          'COUNT',
          `${entriesAtOnce}`,
          'BLOCK',
          `${blockMs}`,
          'STREAMS',
          options.stream,
          last,
        )
        const [[, entries] = [null, []]] = reply ?? []
        for (const { bytes, cursor, writtenAt } of pieces(entries.map((entry) => readEntry(entry, options.field)))) {
          const isOld = writtenAt < host.now() - liveMs
          await emit(bytes, isOld ? { cursor, live: false, writtenAt } : { cursor })
          last = cursor
        }
      }
    } finally {
      connection.close()
    }
  },
})

async function enter(connection, url) {
  const password = process.env.REDIS_PASSWORD
  const user = decodeURIComponent(url.username)
  if (password) await connection.call('AUTH', ...(user === '' ? [] : [user]), password)
  const database = url.pathname.slice(1)
  if (database !== '') await connection.call('SELECT', database)
}

/** An entry is its id, `MILLISECONDS-NUMBER`, and its fields and values by turns. */
function readEntry([id, words], field) {
  const at = (words ?? []).findIndex((word, index) => index % 2 === 0 && word.toString() === field)
  const line = at < 0 ? null : words[at + 1]
  return {
    cursor: id.toString(),
    writtenAt: Number.parseInt(id.toString(), 10),
    line: line === null ? null : oneLine(line),
  }
}

/** A line break inside of a line would let whoever wrote it make up lines. */
function oneLine(bytes) {
  const end = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length
  return Buffer.concat([bytes.subarray(0, end).map((byte) => (byte === 10 ? 32 : byte)), Buffer.from('\n')])
}

/** Entries of one second together, up to a size; the cursor of a piece is that of its last entry. */
function pieces(entries) {
  const made = []
  for (const { cursor, writtenAt, line } of entries) {
    const piece = made.at(-1)
    const bytes = line === null ? [] : [line]
    const size = line?.length ?? 0
    const fits =
      piece && piece.size + size <= bytesAtOnce && Math.floor(piece.writtenAt / 1000) === Math.floor(writtenAt / 1000)
    if (fits) {
      piece.lines.push(...bytes)
      Object.assign(piece, { cursor, size: piece.size + size })
    }
    if (!fits) made.push({ cursor, writtenAt, size, lines: bytes })
  }
  return made.map(({ cursor, writtenAt, lines }) => ({ cursor, writtenAt, bytes: Buffer.concat(lines) }))
}
