import { spawnSync } from 'node:child_process'

/** Debian's Python, which has the module of its fail2ban. */
const python = '/usr/bin/python3'

/** What a program in Python prints as JSON that has Debian's fail2ban at hand, and `given` as the JSON of its input. */
export function askFail2ban<Answer>(program: string, given: unknown): Answer {
  const { status, stdout, stderr } = spawnSync(python, ['-c', program], {
    input: JSON.stringify(given),
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, PYTHONPATH: '/usr/lib/python3/dist-packages', PYTHONDONTWRITEBYTECODE: '1' },
  })
  if (status !== 0) throw new Error(`python: ${stderr}`)
  return JSON.parse(stdout) as Answer
}
