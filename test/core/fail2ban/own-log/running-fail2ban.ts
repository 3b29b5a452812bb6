import { spawnSync } from 'node:child_process'
import { comparedEnvironment, comparedPython } from '../../../compared-fail2ban.ts'

/** What a program in Python prints as JSON that has Debian's fail2ban at hand, and `given` as the JSON of its input. */
export function askFail2ban<Answer>(program: string, given: unknown): Answer {
  const { status, stdout, stderr } = spawnSync(comparedPython, ['-c', program], {
    input: JSON.stringify(given),
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...comparedEnvironment },
  })
  if (status !== 0) throw new Error(`python: ${stderr}`)
  return JSON.parse(stdout) as Answer
}
