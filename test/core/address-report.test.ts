import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { parseAddress } from '../../core/address.ts'
import { reportOn } from '../../core/address-report.ts'
import { verdictOn } from '../../core/explaining/address-verdict.ts'
import { Judge } from '../../core/judging/judge.ts'
import { loadSettings } from '../../core/settings/load-settings.ts'
import { suite } from '../suite.ts'
import { temporaryFolder } from './cli/agent-process.ts'

const test = suite('reports of addresses')
const file = join(temporaryFolder(), 'bailiff.yaml')
writeFileSync(file, 'ignoreip: [198.51.100.0/24]\njails:\n  sshd: { source: ./auth.log }\n')
const { jails } = await loadSettings({ file })

/** Lets one address in, whatever its rules say. */
class Allowing extends Judge {
  override sparing(...given: Parameters<Judge['sparing']>): string | undefined {
    return given[0] === '198.51.100.7' ? 'allowed until 2026-11-22T15:00:00.000Z' : super.sparing(...given)
  }
}

const options = { offences: [], isBanned: () => false, vital: () => [], onNameFailure: () => {} }

async function verdict(judge: Judge, text: string, refusedByFirewall: string | null = null, observe = false) {
  await judge.configure(jails)
  const parts = { at: 1_000_000, running: true, observe, pausedSince: null, kernel: null, kernelFailure: null }
  const history = async () => []
  const sources = { ...parts, jails, judge, bans: [], history, refusal: () => undefined, refusedByFirewall }
  return verdictOn(await reportOn(parseAddress(text)!, sources), null)
}

test('what is allowed is told before what is ignored, and what the firewall refuses when nothing else spares it', async () => {
  assert.equal(await verdict(new Allowing(options), '198.51.100.7'), {
    cause: 'allowed',
    verdict: '198.51.100.7 is not banned: it is allowed until 2026-11-22T15:00:00.000Z.',
  })
  const ignored = await verdict(new Judge(options), '198.51.100.7')
  assert.is(ignored.cause, 'ignored')
  assert.match(ignored.verdict, /ignoreip has 198\.51\.100\.0\/24 \(.*bailiff\.yaml:1\)/)
  const refused = await verdict(new Judge(options), '192.0.2.7', 'never-ban of firewall.conf holds it')
  assert.is(refused.cause, 'never-banned')
  assert.match(refused.verdict, 'the firewall helper refuses it: never-ban of firewall.conf holds it')
  assert.is((await verdict(new Judge(options), '192.0.2.7')).cause, 'unknown')
})

test.run()
