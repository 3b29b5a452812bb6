import * as assert from 'uvu/assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AddressReport, AllowReport, ListReport } from '../../core/control/api.ts'
import { suite } from '../suite.ts'
import { makeBed, needs, type Bed } from './bed.ts'
import { outside } from './network.ts'
import { waitFor } from './processes.ts'
import { configuration, inKernel, withAgent, type RunningAgent } from './running-agent.ts'

const test = suite('end to end: allow, and named lists', ...needs)
let bed: Bed

test.before(async () => {
  bed = await makeBed('allow')
})
test.after(() => bed?.close())

const json = async <T>(agent: RunningAgent, ...words: string[]): Promise<T> => {
  const { code, output } = await agent.command(...words, '--json')
  assert.is(code, 0, output)
  return JSON.parse(output) as T
}

test('whom somebody allows gets in at once, is not banned again, also not after a restart, until it ends', async () => {
  const attacker = outside.v4(3)
  const yaml = configuration(bed, { bantime: '10m' })
  await withAgent(bed, yaml, async (agent) => {
    await bed.failLogin(attacker, { tries: 3 })
    await waitFor('the ban', () => inKernel(bed).includes(attacker))
    const { output } = await agent.command('allow', attacker, '--for', '1h')
    assert.match(output, `${attacker}: unbanned (sshd)`)
    assert.not.ok(inKernel(bed).includes(attacker))
    assert.ok(await bed.canConnect(attacker))
    await bed.failLogin(attacker, { tries: 3 })
    await waitFor('failures that are spared', async () => (await agent.jail()).ignored >= 3)
    assert.match((await agent.command('ban', `${attacker}/31`)).output, 'refused, allowed until')
  })
  await withAgent(bed, yaml, async (agent) => {
    const [allowed] = await json<AllowReport[]>(agent, 'allow', '--list')
    assert.is(allowed?.subject, attacker)
    await bed.failLogin(attacker, { tries: 3 })
    await waitFor('failures that are spared', async () => (await agent.jail()).ignored >= 3)
    assert.not.ok(inKernel(bed).includes(attacker))
    assert.is((await agent.command('allow', '--remove', attacker)).code, 0)
    await bed.failLogin(attacker, { tries: 3 })
    await waitFor('a ban after all', () => inKernel(bed).includes(attacker))
    assert.is((await agent.command('unban', attacker)).code, 0)
    await agent.command('allow', attacker, '--for', '2s')
    await waitFor('the end', async () => (await json<AllowReport[]>(agent, 'allow', '--list')).length === 0)
  })
})

test('a list is swapped as a whole, spares whom somebody allows, and outlasts a restart', async () => {
  const [both, gone, fresh, allowed] = [outside.v4(11), outside.v4(12), outside.v4(13), outside.v4(14)]
  const file = join(bed.folder, 'list')
  const yaml = configuration(bed)
  const listed = () => inKernel(bed).toSorted()
  await withAgent(bed, yaml, async (agent) => {
    writeFileSync(file, `# comment\n${both}\n${gone}\n\n${allowed} ; why\nnonsense\n203.0.113.0/24\n2001:db8:5::/48\n`)
    const strict = await agent.command('ban', '--file', file, '--name', 'drop', '--strict')
    assert.is(strict.code, 65)
    assert.match(strict.output, `${file}:6: "nonsense" is not an IP address or prefix`)
    assert.equal(listed(), [])
    const loaded = await agent.command('ban', '--file', file, '--name', 'drop')
    assert.match(loaded.output, 'drop: 5 entries banned, 5 new, 0 gone')
    assert.equal(listed(), [both, gone, allowed, '203.0.113.0', '2001:db8:5::'].toSorted())
    assert.not(await bed.canConnect(both, 500))

    assert.match((await agent.command('allow', allowed)).output, `${allowed}: unbanned (list:drop)`)
    assert.ok(await bed.canConnect(allowed))
    writeFileSync(file, `${both}\n${fresh}\n${allowed}\n`)
    assert.match(
      (await agent.command('ban', '--file', file, '--name', 'drop')).output,
      '2 entries banned, 1 new, 3 gone',
    )
    assert.equal(listed(), [both, fresh].toSorted())
    assert.match((await agent.command('unban', both)).output, 'stays banned by the list drop')
    assert.equal(listed(), [both, fresh].toSorted())
  })
  await withAgent(bed, yaml, async (agent) => {
    assert.equal(listed(), [both, fresh].toSorted())
    const [report] = await json<ListReport[]>(agent, 'ban', '--list-names')
    assert.equal([report?.name, report?.entries, report?.leftOut], ['drop', 2, 1])
    await agent.command('allow', '--remove', allowed)
    await waitFor('the list to have it again', () => listed().includes(allowed))
    const { bans } = await json<AddressReport>(agent, 'status', allowed)
    assert.equal(
      bans.map(({ jail, enforced }) => [jail, enforced]),
      [['list:drop', true]],
    )
    writeFileSync(file, '# the download failed\n')
    const empty = await agent.command('ban', '--file', file, '--name', 'drop')
    assert.is(empty.code, 65)
    assert.match(empty.output, 'would be empty')
    assert.is(listed().length, 3)
    assert.match((await agent.command('unban', '--name', 'drop')).output, 'ended (3 entries)')
    assert.equal(listed(), [])
    assert.is((await agent.command('unban', '--name', 'drop')).code, 66)
  })
  await withAgent(bed, yaml, async () => assert.equal(listed(), []))
})

test('a list ends by itself', () =>
  withAgent(bed, configuration(bed), async (agent) => {
    const file = join(bed.folder, 'list')
    writeFileSync(file, `${outside.v4(15)}\n`)
    await agent.command('ban', '--file', file, '--name', 'short', '--for', '3s')
    assert.ok(inKernel(bed).includes(outside.v4(15)))
    await waitFor(
      'the end of the list',
      async () => (await json<ListReport[]>(agent, 'ban', '--list-names')).length === 0,
    )
    await waitFor('the kernel to let it go', () => inKernel(bed).length === 0)
  }))

test.run()
