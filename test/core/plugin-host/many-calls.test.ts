import * as assert from 'uvu/assert'
import { ActionQueue } from '../../../core/enforcing/action-queue.ts'
import { Announcer } from '../../../core/enforcing/announcer.ts'
import { suite } from '../../suite.ts'
import { ban, PluginBed, stopAll } from './plugin-bed.ts'

const test = suite('many calls at once to plugins in hosts')

/** `count` addresses. */
const prefixes = (count: number) => Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`)

test('bans that a plugin takes one by one count each by itself: some fail and come again, none comes for nothing', async () => {
  const bed = new PluginBed()
  const plugin = await bed.action(`const seen = new Map()
    let atOnce = 0
    export default {
      async ban({ prefix }) {
        const times = (seen.get(prefix) ?? 0) + 1
        seen.set(prefix, times)
        if (++atOnce > 8) throw new Error('more than eight at once')
        await new Promise((resolve) => setImmediate(resolve))
        atOnce--
        if (prefix.endsWith('.7') && times < 3) throw new Error('not yet')
      },
      async unban({ prefix }) { console.log(prefix + ' came ' + seen.get(prefix) + ' times of ' + seen.size) },
    }`)
  const alarms: string[] = []
  const { host, end } = bed.instance()
  const queue = new ActionQueue(plugin, host, (_, message) => alarms.push(message))
  const settled: string[] = []
  for (const prefix of prefixes(1200)) queue.ban(ban(prefix), (refusal) => settled.push(`${prefix} ${refusal}`))
  await bed.until(() => settled.length === 1200, 'all of them')
  assert.is(new Set(settled).size, 1200)
  assert.match(settled.at(-1) ?? '', /\.7 null$/)
  assert.match(alarms.join(), /^the action bad fails and is tried again: .*not yet$/)
  for (const prefix of ['10.0.0.6', '10.0.0.7']) queue.unban(ban(prefix))
  await bed.until(() => bed.said.filter((line) => line.includes('came')).length === 2, 'the counts')
  assert.match(bed.said.join('\n'), /10\.0\.0\.6 came 1 times of 1200/)
  assert.match(bed.said.join('\n'), /10\.0\.0\.7 came 3 times of 1200/)
  end()
  await queue.stop()
  await bed.hosts.stop()
})

test('events come in order, also where one fails and is tried again, and one that always fails is passed over', async () => {
  const bed = new PluginBed()
  const plugin = await bed.notifier(`let tries = 0, under = 0
    const told = []
    export default {
      async notify({ time, type }) {
        if (++under > 1) console.log('two at once')
        await new Promise((resolve) => setImmediate(resolve))
        under--
        if (time === 5 && ++tries < 2) throw new Error('not yet')
        if (time === 8) throw new Error('never')
        told.push(time)
        if (type === 'stop') console.log('told ' + told.join())
      },
    }`)
  const announcer = new Announcer()
  const { host, end } = bed.instance()
  await announcer.configure([{ plugin, host, jails: null }])
  for (let time = 0; time < 12; time++) announcer.tell({ type: 'start', time, jails: [] })
  announcer.tell({ type: 'stop', time: 12 })
  await bed.until(() => bed.said.some((line) => line.includes('told ')), 'the end')
  // What is printed may come before what is answered.
  await bed.until(() => announcer.states[0]?.waiting === 0, 'the answer')
  assert.match(bed.said.join('\n'), /told 0,1,2,3,4,5,6,7,9,10,11,12$/)
  assert.not.match(bed.said.join('\n'), /two at once/)
  assert.equal(announcer.states, [{ notifier: 'bad', waiting: 0, dropped: 0 }])
  await announcer.stop(1000)
  end()
  await bed.hosts.stop()
})

test('where the process ends on the way, what was carried out is known, and the rest comes again', async () => {
  const bed = new PluginBed()
  const plugin = await bed.action(`import { existsSync, writeFileSync } from 'node:fs'
    let count = 0
    export default {
      async ban(ban, host) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        if (++count !== 50 || existsSync(host.stateDir + '/crashed')) return
        writeFileSync(host.stateDir + '/crashed', '')
        process.exit(3)
      },
      unban() { console.log('in all ' + count) },
    }`)
  const { host, end } = bed.instance()
  const queue = new ActionQueue(plugin, host, () => {})
  let settled = 0
  for (const prefix of prefixes(300)) queue.ban(ban(prefix), () => settled++)
  await bed.until(() => {
    if (bed.restarted.length > 0) queue.retryNow()
    return settled === 300
  }, 'all of them')
  queue.unban(ban('10.0.0.1'))
  await bed.until(() => bed.said.some((line) => line.includes('in all')), 'the count')
  const again = Number(/in all (\d+)/.exec(bed.said.join('\n'))?.[1])
  assert.ok(again >= 250 && again < 300, `${again} came after the crash`)
  end()
  await queue.stop()
  await bed.hosts.stop()
})

test('a host that answers for less than it was given, or for more, is told so', async () => {
  const bed = new PluginBed()
  const say = `import { writeSync } from 'node:fs'
    const say = (message) => {
      const json = Buffer.from(JSON.stringify(message)), head = Buffer.alloc(8)
      head.writeUInt32LE(json.length + 4, 0), head.writeUInt32LE(json.length, 4)
      writeSync(3, Buffer.concat([head, json]))
    }`
  const cases: [text: string, said: RegExp][] = [
    ["say({ type: 'answer', call: 3, value: null }); await new Promise(() => {})", /it said nothing of 3 calls/],
    ["say({ type: 'carried', call: 3, done: [0, 0], failed: [] })", /an item that nobody asked for/],
    ["say({ type: 'carried', call: 3, done: [4711], failed: [] })", /an item that nobody asked for/],
    ["say({ type: 'carried', call: 1, done: [], failed: [] })", /items of a call that has none/],
    ["say({ type: 'carried', call: 3, done: ['x'], failed: [] })", /an index that is none/],
  ]
  for (const [code, said] of cases) {
    const plugin = await bed.notifier(`${say}\nexport default { async notify() { ${code} } }`)
    const { host, end } = bed.instance()
    const failures: string[] = []
    const announcer = new Announcer()
    const log = { ...host.log, warn: (_: object, message: string) => void failures.push(message) }
    const told = Object.create(host, { log: { value: log } }) as typeof host
    await announcer.configure([{ plugin, host: told, jails: null }])
    for (let time = 0; time < 3; time++) announcer.tell({ type: 'stop', time })
    await bed.until(() => failures.some((failure) => said.test(failure)), String(said))
    end()
  }
  await bed.hosts.stop()
})

test.after(stopAll)

test.run()
