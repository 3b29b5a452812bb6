import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { bailiff, endAgents, writeConfig } from '../core/cli/agent-process.ts'
import { suite } from '../suite.ts'
import { append, installed, started } from './installed-example.ts'
import { RealRedis } from './real-redis.ts'

const test = suite('plugins/examples: those that find', 'npm', 'redis-server')

test('redis-stream: a line of the stream leads to a ban, one that came while no agent ran too, and none counts twice', async () => {
  const redis = await RealRedis.start()
  const { place } = await installed('redis-stream')
  const jail = `{ source: { redis-stream: { url: "${redis.url}", stream: log } }, filter: { failregex: ['^bad <ADDR>$'] }, maxretry: 2, actions: [memory] }`
  const config = writeConfig(place, `jails: { a: ${jail} }\n`)
  redis.add('log', 'bad 192.0.2.7')
  redis.add('log', 'bad 192.0.2.7')
  const agent = await started(config)
  await agent.shows(/ban.*192\.0\.2\.7/)
  redis.add('log', 'bad 192.0.2.8')
  redis.add('log', 'bad 192.0.2.9\nbad 192.0.2.66')
  redis.add('log', 'bad 192.0.2.10')
  redis.add('log', 'bad 192.0.2.10')
  await agent.shows(/ban.*192\.0\.2\.10/)
  await agent.end()
  redis.add('log', 'bad 192.0.2.8')
  const next = await started(config)
  await next.shows(/ban.*192\.0\.2\.8/)
  redis.add('log', 'bad 192.0.2.9')
  redis.add('log', 'bad 192.0.2.11')
  redis.add('log', 'bad 192.0.2.11')
  await next.shows(/ban.*192\.0\.2\.11/)
  assert.not.match(agent.output + next.output, /ban.*192\.0\.2\.(?:9|66)\b/)
  await next.end('SIGKILL')
  redis.stop()
})

test('redis-stream: where Redis is not there that is an alarm, and status says so until it is', async () => {
  const redis = await RealRedis.start()
  const { url } = redis
  redis.stop()
  const { place } = await installed('redis-stream')
  const jail = `{ source: { redis-stream: { url: "${url}", stream: log } }, filter: { failregex: ['^bad <ADDR>$'] }, actions: [memory] }`
  const config = writeConfig(place, `jails: { a: ${jail} }\n`)
  const agent = await started(config)
  await agent.shows(/error.*the source failed and starts again in 1 s: .*ECONNREFUSED/)
  const { stdout } = await bailiff(['status', '--config', config])
  assert.match(stdout, /redis-stream .*ECONNREFUSED/)
  await agent.end('SIGKILL')
})

test('homelab: a line of a service is found by a jail and a filter of the package', async () => {
  const { place, added } = await installed('homelab')
  assert.match(added, 'home-assistant')
  assert.match(added, 'jellyfin-strict')
  const config = writeConfig(
    place,
    `jails: { media: { from: homelab/jellyfin-strict, source: ${place}/log, maxretry: 1, actions: [memory] } }\n`,
  )
  writeFileSync(join(place, 'log'), '')
  const agent = await started(config, {}, 'media')
  const time = new Date().toISOString().replace('T', ' ').replace('Z', ' +00:00')
  const what = 'Jellyfin.Server.Implementations.Users.UserManager: Authentication request for "root" has been denied'
  append(place, `[${time}] [INF] [21] ${what} (IP: "192.0.2.7").\n`)
  await agent.shows(/ban.*192\.0\.2\.7/)
  await agent.end('SIGKILL')
})

test.after(endAgents)
test.run()
